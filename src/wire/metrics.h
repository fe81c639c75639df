/* metrics.h: struct facts as Prometheus text.
 *
 * Source: the Prometheus text exposition format, version 0.0.4. Names begin with zan_, times are
 * seconds, counters end in _total; `promtool check metrics` has nothing to say about it (a test). */
#ifndef ZAN_WIRE_METRICS_H
#define ZAN_WIRE_METRICS_H

#include "schema/facts.h"
#include "wire/text.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What the HTTP door knows of itself; the facts speak of the RESP doors. */
struct metrics_http {
    uint64_t connections_open, connections_total, cut_total; /* cut: a deadline passed */
    uint64_t streams_open; /* of live totals */
    uint64_t denied[STATUS_COUNT]; /* who is calling was not proved, or may not, by code */
    uint64_t tls_refused;
    uint64_t answers[6];                                      /* by the first digit of the status */
};

void metrics_http_write(struct text *text, const struct metrics_http *http);

void metrics_write(struct text *text, const struct facts *facts);

#endif
