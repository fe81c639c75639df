/* openapi.h: the OpenAPI 3.1 document of the HTTP door, made from verbs.def and routes.def.
 *
 * Source: the OpenAPI Specification 3.1.0 (schemas are JSON Schema 2020-12). */
#ifndef ZAN_WIRE_OPENAPI_H
#define ZAN_WIRE_OPENAPI_H

#include "wire/text.h"

/* Writes the document. text->failed if memory ran out. */
void openapi_write(struct text *text, const char *version);

#endif
