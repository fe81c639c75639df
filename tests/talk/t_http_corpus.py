#!/usr/bin/python3
"""T18 for HTTP: malformed, oversized and tricky requests, byte by byte, each with its exact end.

zan-test: timeout=600

A row is  name, bytes, end.  An end is one of
    "200"                   answered, and the connection is kept (a second request on it is answered)
    "400 BADHTTP closed"    answered with that problem, then closed
    "404 NOROUTE"           answered with that problem, kept
    "400 - closed"          answered by libmicrohttpd in its own words, then closed
    "closed"                closed without an answer
    "waits"                 it is a good beginning: nothing happens (until a deadline, tested elsewhere)

Every row is sent twice: whole, and in pieces of one to seven bytes, so that no verdict depends on
where the network cuts. What libmicrohttpd 0.9.75 takes although RFC 9112 does not is at the end, in
DEVIATIONS: known, harmless behind or without a proxy that normalises, and told in docs/http.md.
"""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import Connection, main, open_server, request, twin_server

BODY = b'{"account":"7"}'
SIZE = b"%d" % len(BODY)
HEX = b"%x" % len(BODY)
GET = b"GET /v1/sequence HTTP/1.1\r\nHost: localhost\r\n"
POST = (b"POST /v1/items/666/shares HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\n")
GOOD = (b"POST /v1/items/5/shares HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\n")
TLS = bytes.fromhex("16030100c8010000c40303") + b"\x11" * 200
BAD, OWN = "400 BADHTTP closed", "400 - closed"


def line(first, rest=b"Host: localhost\r\n"):
    return first + b"\r\n" + rest + b"\r\n"


def chunked(data, head=POST):
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + data


def post(body, item=666):
    return request("POST", "/v1/items/%d/shares" % item, body)


ROWS = [
    # --- good ones, so that the refusals below mean something
    ("plain", GET + b"\r\n", "200"),
    ("HTTP/1.0", line(b"GET /v1/sequence HTTP/1.0"), "200 closed"),
    ("HTTP/1.0 needs no Host", line(b"GET /v1/sequence HTTP/1.0", b""), "200 closed"),
    ("Connection: close", GET + b"Connection: close\r\n\r\n", "200 closed"),
    ("header names in any case", line(b"GET /v1/sequence HTTP/1.1", b"hOsT: localhost\r\n"), "200"),
    ("no blank after the colon", line(b"GET /v1/sequence HTTP/1.1", b"Host:localhost\r\n"), "200"),
    ("blanks before a value", GET + b"X:  \t 1\r\n\r\n", "200"),
    ("blanks behind a value", line(b"GET /v1/sequence HTTP/1.1", b"Host: localhost \t\r\n"), "200"),
    ("an empty value", GET + b"X:\r\n\r\n", "200"),
    ("a colon in a value", GET + b"X: a:b\r\n\r\n", "200"),
    ("bytes beyond ASCII in a value", GET + b"X: \xc3\xa9\xff\r\n\r\n", "200"),
    ("an empty line before", b"\r\n" + GET + b"\r\n", "200"),
    ("fifty empty lines before", b"\r\n" * 50 + GET + b"\r\n", "200"),
    ("a body by length", GOOD + b"Content-Length: " + SIZE + b"\r\n\r\n" + BODY, "200"),
    ("a length with zeros before", GOOD + b"Content-Length: 000" + SIZE + b"\r\n\r\n" + BODY, "200"),
    ("a body by chunks", chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", GOOD), "200"),
    ("two chunks", chunked(b"1\r\n{\r\ne\r\n" + BODY[1:] + b"\r\n0\r\n\r\n", GOOD), "200"),
    ("a chunk size in capitals", chunked(HEX.upper() + b"\r\n" + BODY + b"\r\n0\r\n\r\n", GOOD), "200"),
    ("a chunk size with zeros", chunked(b"000" + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", GOOD), "200"),
    ("a chunk extension", chunked(HEX + b";a=b\r\n" + BODY + b"\r\n0\r\n\r\n", GOOD), "200"),
    ("a trailer", chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\nX: 1\r\n\r\n", GOOD), "200"),
    ("trailers change nothing", chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\nHost: evil.example\r\n"
                                        b"Content-Length: 999\r\n\r\n", GOOD), "200"),
    ("an offer to upgrade is passed over", GET + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "200"),
    ("64 headers", GET + b"X: 1\r\n" * 63 + b"\r\n", "200"),
    ("nearly 16 KiB of headers", GET + b"X: " + b"a" * 16000 + b"\r\n\r\n", "200"),
    ("OPTIONS *", line(b"OPTIONS * HTTP/1.1"), "204"),
    ("OPTIONS of a path", line(b"OPTIONS /v1/batch/states HTTP/1.1"), "204"),

    # --- the request line
    ("no version", line(b"GET /v1/sequence"), OWN),
    ("HTTP/0.9", line(b"GET /v1/sequence HTTP/0.9"), "505 - closed"),
    ("HTTP/1.2", line(b"GET /v1/sequence HTTP/1.2"), BAD),
    ("HTTP/2.0", line(b"GET /v1/sequence HTTP/2.0"), "505 - closed"),
    ("HTTP/9.9", line(b"GET /v1/sequence HTTP/9.9"), "505 - closed"),
    ("HTTP/1.1 in lower case", line(b"GET /v1/sequence http/1.1"), OWN),
    ("HTTP/1.1x", line(b"GET /v1/sequence HTTP/1.1x"), OWN),
    ("HTTP/1.10", line(b"GET /v1/sequence HTTP/1.10"), OWN),
    ("HTTP/01.1", line(b"GET /v1/sequence HTTP/01.1"), OWN),
    ("HTTP/1", line(b"GET /v1/sequence HTTP/1"), OWN),
    ("HTTP/", line(b"GET /v1/sequence HTTP/"), OWN),
    ("HTTPS/1.1", line(b"GET /v1/sequence HTTPS/1.1"), OWN),
    ("the beginning of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 - closed"),
    ("two blanks after the method", line(b"GET  /v1/sequence HTTP/1.1"), BAD),
    ("two blanks before the version", line(b"GET /v1/sequence  HTTP/1.1"), BAD),
    ("tabs instead of blanks", line(b"GET\t/v1/sequence\tHTTP/1.1"), "closed"),
    ("a tab before the version", line(b"GET /v1/sequence\tHTTP/1.1"), OWN),
    ("a blank at the end", line(b"GET /v1/sequence HTTP/1.1 "), OWN),
    ("a blank within the target", line(b"GET /v1/seq uence HTTP/1.1"), BAD),
    ("a blank at the beginning", line(b" GET /v1/sequence HTTP/1.1"), "closed"),
    ("a method only", line(b"GET"), "closed"),
    ("no method", line(b" /v1/sequence HTTP/1.1"), "closed"),
    ("a method in lower case", line(b"get /v1/sequence HTTP/1.1"), "405 BADMETHOD"),
    ("a method nobody knows", line(b"LIKE /v1/sequence HTTP/1.1"), "405 BADMETHOD"),
    ("TRACE", line(b"TRACE /v1/sequence HTTP/1.1"), "405 BADMETHOD"),
    ("PATCH", line(b"PATCH /v1/items/666 HTTP/1.1"), "405 BADMETHOD"),
    ("CONNECT", line(b"CONNECT localhost:80 HTTP/1.1"), "404 NOROUTE"),
    ("a method of 9000 bytes", line(b"G" * 9000 + b" /v1/sequence HTTP/1.1"), "414 LONGLINE closed"),
    ("a NUL in the method", line(b"GE\0T /v1/sequence HTTP/1.1"), BAD),
    ("a NUL in the target", line(b"GET /v1/sequence\0 HTTP/1.1"), BAD),
    ("a NUL and more in the target", line(b"GET /v1/sequence\0/../x HTTP/1.1"), BAD),
    ("a NUL in the query", line(b"GET /v1/items/1/likes?count=1\0 HTTP/1.1"), BAD),
    ("a control character in the target", line(b"GET /v1/seq\x01uence HTTP/1.1"), BAD),
    ("DEL in the target", line(b"GET /v1/seq\x7fuence HTTP/1.1"), BAD),
    ("bytes beyond ASCII in the target", line(b"GET /v1/\xff HTTP/1.1"), BAD),
    ("a bare CR in the line", line(b"GET /v1/sequence\rX HTTP/1.1"), BAD),
    ("a line of 8193 bytes", line(b"GET /v1/sequence?" + b"a" * (8193 - 26) + b" HTTP/1.1"),
     "414 LONGLINE closed"),
    ("a line of 20 KiB", line(b"GET /v1/sequence?" + b"a" * 20000 + b" HTTP/1.1"),
     "414 LONGLINE closed"),
    ("a line of 100 KiB", line(b"GET /v1/sequence?" + b"a" * 100000 + b" HTTP/1.1"),
     "414 - closed"),

    # --- paths
    ("the absolute form", line(b"GET http://localhost/v1/sequence HTTP/1.1"), "404 NOROUTE"),
    ("the absolute form of another", line(b"GET http://evil.example/v1/sequence HTTP/1.1"),
     "404 NOROUTE"),
    ("no slash", line(b"GET v1/sequence HTTP/1.1"), "404 NOROUTE"),
    ("two slashes", line(b"GET //v1/sequence HTTP/1.1"), "404 NOROUTE"),
    ("two slashes within", line(b"GET /v1//sequence HTTP/1.1"), "404 NOROUTE"),
    ("a slash behind", line(b"GET /v1/sequence/ HTTP/1.1"), "404 NOROUTE"),
    ("dots", line(b"GET /v1/./sequence HTTP/1.1"), "404 NOROUTE"),
    ("dots upwards", line(b"GET /v1/x/../sequence HTTP/1.1"), "404 NOROUTE"),
    ("dots to the root and beyond", line(b"GET /../../../../etc/passwd HTTP/1.1"), "404 NOROUTE"),
    ("dots, escaped", line(b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1"), "404 NOROUTE"),
    ("backslashes", line(b"GET \\v1\\sequence HTTP/1.1"), "404 NOROUTE"),
    ("a fragment", line(b"GET /v1/sequence#x HTTP/1.1"), "404 NOROUTE"),
    ("a parameter", line(b"GET /v1/sequence;x=1 HTTP/1.1"), "404 NOROUTE"),
    ("an escaped letter", line(b"GET /v1/%73equence HTTP/1.1"), "404 NOROUTE"),
    ("an escaped slash", line(b"GET /v1%2fsequence HTTP/1.1"), "404 NOROUTE"),
    ("an escaped slash in an id", line(b"PUT /v1/items/666/likes%2f7 HTTP/1.1"), "404 NOROUTE"),
    ("an escaped NUL", line(b"GET /v1/sequence%00 HTTP/1.1"), "404 NOROUTE"),
    ("an escape cut short", line(b"GET /v1/sequence% HTTP/1.1"), "404 NOROUTE"),
    ("capitals", line(b"GET /V1/SEQUENCE HTTP/1.1"), "404 NOROUTE"),
    ("a hidden file", line(b"GET /.git/config HTTP/1.1"), "404 NOROUTE"),
    ("a star", line(b"GET * HTTP/1.1"), "404 NOROUTE"),
    ("an empty id", line(b"PUT /v1/items/666/likes/ HTTP/1.1"), "404 NOROUTE"),
    ("another version", line(b"GET /v2/sequence HTTP/1.1"), "404 NOROUTE"),

    # --- ids and queries
    ("an id of letters", line(b"PUT /v1/items/666/likes/seven HTTP/1.1"), "422 BADID"),
    ("an id with a sign", line(b"PUT /v1/items/666/likes/-7 HTTP/1.1"), "422 BADID"),
    ("an id with a plus", line(b"PUT /v1/items/666/likes/+7 HTTP/1.1"), "422 BADID"),
    ("an id in hex", line(b"PUT /v1/items/666/likes/0x7 HTTP/1.1"), "422 BADID"),
    ("an id one too large", line(b"PUT /v1/items/666/likes/18446744073709551616 HTTP/1.1"),
     "422 BADID"),
    ("an id of 21 digits", line(b"PUT /v1/items/666/likes/000000000000000000007 HTTP/1.1"),
     "422 BADID"),
    ("an id of 3000 digits", line(b"PUT /v1/items/666/likes/" + b"7" * 3000 + b" HTTP/1.1"),
     "422 BADID"),
    ("an escaped digit", line(b"PUT /v1/items/666/likes/%37 HTTP/1.1"), "422 BADID"),
    ("an id with a point", line(b"PUT /v1/items/666/likes/7.0 HTTP/1.1"), "422 BADID"),
    ("an id and a comma", line(b"PUT /v1/items/666/likes/7,8 HTTP/1.1"), "422 BADID"),
    ("a query nobody knows", line(b"GET /v1/items/5/likes?page=2 HTTP/1.1"), "422 UNKNOWNFIELD"),
    ("a query on a write", line(b"PUT /v1/items/666/likes/7?count=2 HTTP/1.1"), "422 UNKNOWNFIELD"),
    ("a query twice", line(b"GET /v1/items/5/likes?count=2&count=3 HTTP/1.1"), "422 BADVALUE"),
    ("a count of 0", line(b"GET /v1/items/5/likes?count=0 HTTP/1.1"), "422 BADVALUE"),
    ("a count of 1001", line(b"GET /v1/items/5/likes?count=1001 HTTP/1.1"), "422 BADVALUE"),
    ("a count of nothing", line(b"GET /v1/items/5/likes?count= HTTP/1.1"), "422 BADVALUE"),
    ("a count without a value", line(b"GET /v1/items/5/likes?count HTTP/1.1"), "422 BADVALUE"),
    ("an escaped count", line(b"GET /v1/items/5/likes?count=%31 HTTP/1.1"), "422 BADVALUE"),
    ("a plus for a blank", line(b"GET /v1/items/5/likes?count=+1 HTTP/1.1"), "422 BADVALUE"),
    ("a cursor of letters", line(b"GET /v1/items/5/likes?cursor=abc HTTP/1.1"), "422 BADCURSOR"),
    ("a hundred queries", line(b"GET /v1/items/5/likes?" + b"count=1&" * 100 + b" HTTP/1.1"),
     "422 UNKNOWNFIELD"),

    # --- lines and headers
    ("no Host", line(b"GET /v1/sequence HTTP/1.1", b""), BAD),
    ("two Hosts", GET + b"Host: localhost\r\n\r\n", BAD),
    ("an empty Host", line(b"GET /v1/sequence HTTP/1.1", b"Host:\r\n"), "421 MISDIRECTED closed"),
    ("another Host", line(b"GET /v1/sequence HTTP/1.1", b"Host: evil.example\r\n"),
     "421 MISDIRECTED closed"),
    ("a Host that begins like ours", line(b"GET /v1/sequence HTTP/1.1",
                                          b"Host: localhost.evil.example\r\n"),
     "421 MISDIRECTED closed"),
    ("a Host with a name before", line(b"GET /v1/sequence HTTP/1.1", b"Host: a@localhost\r\n"),
     "421 MISDIRECTED closed"),
    ("bare LF everywhere", b"GET /v1/sequence HTTP/1.1\nHost: localhost\n\n", BAD),
    ("bare LF behind the first line", b"GET /v1/sequence HTTP/1.1\nHost: localhost\r\n\r\n", BAD),
    ("bare LF behind a header", GET + b"X: 1\n\r\n", BAD),
    ("bare LF between headers", GET + b"X: 1\nY: 2\r\n\r\n", BAD),
    ("bare LF at the end", GET + b"\n", BAD),
    ("a bare CR in a value", GET + b"X: a\rb\r\n\r\n", BAD),
    ("CR CR LF", GET + b"X: a\r\r\n\r\n", BAD),
    ("a folded line", GET + b"X: 1\r\n  2\r\n\r\n", BAD),
    ("a folded line with a tab", GET + b"X: 1\r\n\t2\r\n\r\n", BAD),
    ("a folded first header", line(b"GET /v1/sequence HTTP/1.1", b" Host: localhost\r\n"), BAD),
    ("a fold that hides a length", POST + b"X: 1\r\n Content-Length: 5\r\n\r\n", BAD),
    ("a blank before the colon", GET + b"X : 1\r\n\r\n", BAD),
    ("a blank in a length's name", POST + b"Content-Length : " + SIZE + b"\r\n\r\n" + BODY, BAD),
    ("no colon", GET + b"Xyz\r\n\r\n", OWN),
    ("an empty name", GET + b": 1\r\n\r\n", BAD),
    ("a blank for a name", GET + b" : 1\r\n\r\n", BAD),
    ("a name with parentheses", GET + b"X(1): 1\r\n\r\n", BAD),
    ("a name beyond ASCII", GET + b"X\xe9: 1\r\n\r\n", BAD),
    ("a NUL in a name", GET + b"X\0: 1\r\n\r\n", OWN),
    ("a NUL in a value", GET + b"X: a\0b\r\n\r\n", BAD),
    ("a NUL at a value's end", GET + b"X: a\0\r\n\r\n", BAD),
    ("a NUL in a length", POST + b"Content-Length: " + SIZE + b"\0\r\n\r\n" + BODY, BAD),
    ("a control character in a value", GET + b"X: a\x01b\r\n\r\n", BAD),
    ("an escape sequence in a value", GET + b"X: \x1b[2J\r\n\r\n", BAD),
    ("DEL in a value", GET + b"X: \x7f\r\n\r\n", BAD),
    ("66 headers", GET + b"X: 1\r\n" * 65 + b"\r\n", "431 MANYHEADERS closed"),
    ("17 KiB of headers", GET + b"X: " + b"a" * 17000 + b"\r\n\r\n", "431 MANYHEADERS closed"),
    ("17 KiB of a name", GET + b"X" * 17000 + b": 1\r\n\r\n", "431 MANYHEADERS closed"),
    ("60 KiB of headers", GET + b"X: " + b"a" * 60000 + b"\r\n\r\n", "431 - closed"),
    ("5000 headers", GET + b"X: 1\r\n" * 5000 + b"\r\n", "431 - closed"),
    ("two keys", GET + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", BAD),
    ("two Idempotency-Keys", POST + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: "
     + SIZE + b"\r\n\r\n" + BODY, BAD),
    ("an empty Idempotency-Key", POST + b"Idempotency-Key:\r\nContent-Length: " + SIZE
     + b"\r\n\r\n" + BODY, "422 BADOPID"),
    ("an Idempotency-Key of 65", POST + b"Idempotency-Key: " + b"k" * 65 + b"\r\nContent-Length: "
     + SIZE + b"\r\n\r\n" + BODY, "422 BADOPID"),
    ("an Idempotency-Key beyond ASCII", POST + b"Idempotency-Key: \xff\r\nContent-Length: "
     + SIZE + b"\r\n\r\n" + BODY, "422 BADOPID"),
    ("a source nobody knows", line(b"PUT /v1/items/666/likes/7 HTTP/1.1",
                                   b"Host: localhost\r\nX-Zan-Source: foot\r\n"), "422 BADVALUE"),
    ("a time in letters", line(b"PUT /v1/items/666/likes/7 HTTP/1.1",
                               b"Host: localhost\r\nX-Zan-Client-Ms: now\r\n"), "422 BADVALUE"),
    ("a time far ahead", line(b"PUT /v1/items/666/likes/7 HTTP/1.1",
                              b"Host: localhost\r\nX-Zan-Client-Ms: 9000000000000000\r\n"),
     "422 BADTIME"),
    ("a request held up for years", line(b"PUT /v1/items/666/likes/7 HTTP/1.1",
                                         b"Host: localhost\r\nX-Zan-Issued-Ms: 1600000000000\r\n"),
     "400 STALE"),
    ("a request of tomorrow", line(b"PUT /v1/items/666/likes/7 HTTP/1.1",
                                   b"Host: localhost\r\nX-Zan-Issued-Ms: 9000000000000000\r\n"),
     "400 STALE"),
    ("an expectation nobody knows", POST + b"Content-Length: " + SIZE + b"\r\nExpect: rain\r\n\r\n"
     + BODY, BAD),

    # --- how long is it?
    ("both lengths", POST + b"Content-Length: " + SIZE + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
     + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", BAD),
    ("both lengths, the other way", POST + b"Transfer-Encoding: chunked\r\nContent-Length: " + SIZE
     + b"\r\n\r\n" + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", BAD),
    ("both lengths, one of them 0", POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"
     + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", BAD),
    ("a length twice, the same", POST + b"Content-Length: " + SIZE + b"\r\nContent-Length: " + SIZE
     + b"\r\n\r\n" + BODY, BAD),
    ("a length twice, different", POST + b"Content-Length: " + SIZE + b"\r\nContent-Length: 5"
     b"\r\n\r\n" + BODY, BAD),
    ("a list of lengths", POST + b"Content-Length: 15, 15\r\n\r\n" + BODY, OWN),
    ("a negative length", POST + b"Content-Length: -1\r\n\r\n" + BODY, OWN),
    ("a length with a plus", POST + b"Content-Length: +15\r\n\r\n" + BODY, OWN),
    ("a length in hex", POST + b"Content-Length: 0xf\r\n\r\n" + BODY, OWN),
    ("a length with letters", POST + b"Content-Length: 15x\r\n\r\n" + BODY, OWN),
    ("a length with a point", POST + b"Content-Length: 15.0\r\n\r\n" + BODY, OWN),
    ("a length with a blank", POST + b"Content-Length: 1 5\r\n\r\n" + BODY, OWN),
    ("an empty length", POST + b"Content-Length:\r\n\r\n" + BODY, OWN),
    ("a length over 2^64", POST + b"Content-Length: 99999999999999999999\r\n\r\n" + BODY,
     "413 - closed"),
    ("a length of 2^63 - 1", POST + b"Content-Length: 9223372036854775807\r\n\r\n" + BODY,
     "413 TOOBIG closed"),
    ("a length of 2^32 + 15", POST + b"Content-Length: 4294967311\r\n\r\n" + BODY,
     "413 TOOBIG closed"),
    ("a body of 1 MiB and a byte", post(b" " * ((1 << 20) - 14) + BODY), "413 TOOBIG closed"),
    ("chunks of 1 MiB and more", chunked(b"100000\r\n" + b" " * (1 << 20) + b"\r\n" + HEX + b"\r\n"
                                         + BODY + b"\r\n0\r\n\r\n"), "413 TOOBIG closed"),
    ("a body that is too short", POST + b"Content-Length: 99\r\n\r\n" + BODY, "waits"),
    ("chunks that never end", chunked(HEX + b"\r\n" + BODY + b"\r\n"), "waits"),
    ("an encoding nobody knows", POST + b"Transfer-Encoding: gzip\r\n\r\n" + BODY, BAD),
    ("two encodings in one", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + HEX + b"\r\n"
     + BODY + b"\r\n0\r\n\r\n", BAD),
    ("two encodings in two", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"
     b"\r\n" + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", BAD),
    ("chunked twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
     + HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n", BAD),
    ("xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY, BAD),
    ("chunked behind a vertical tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + BODY, BAD),
    ("identity", POST + b"Transfer-Encoding: identity\r\nContent-Length: " + SIZE + b"\r\n\r\n"
     + BODY, BAD),
    ("chunks in HTTP/1.0", chunked(HEX + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
                                   POST.replace(b"1.1", b"1.0")), BAD),

    # --- chunks
    ("a chunk size of letters", chunked(b"g\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a negative chunk size", chunked(b"-f\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a chunk size with a plus", chunked(b"+f\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a chunk size with 0x", chunked(b"0xf\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("an empty chunk size", chunked(b"\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a blank before a chunk size", chunked(b" f\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a blank behind a chunk size", chunked(b"f \r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a NUL behind a chunk size", chunked(b"f\0\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a chunk size over 2^64", chunked(b"1000000000000000f\r\n" + BODY + b"\r\n0\r\n\r\n"),
     "413 - closed"),
    ("a chunk size of 2^64 - 1", chunked(b"ffffffffffffffff\r\n" + BODY + b"\r\n0\r\n\r\n"),
     "waits"),
    ("a chunk without its end", chunked(HEX + b"\r\n" + BODY + b"0\r\n\r\n"), OWN),
    ("a chunk longer than said", chunked(b"e\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("a line feed in an extension", chunked(b"f;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n"), OWN),
    ("CR alone ends a chunk size", chunked(b"f\r" + BODY + b"\r0\r\r"), OWN),
    ("no chunk but a request", chunked(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), OWN),

    # --- bodies
    ("no body where one is needed", post(b""), "400 ARITY"),
    ("no type", POST.replace(b"Content-Type: application/json\r\n", b"") + b"Content-Length: " + SIZE
     + b"\r\n\r\n" + BODY, "415 BADTYPE"),
    ("a form", POST.replace(b"application/json", b"application/x-www-form-urlencoded")
     + b"Content-Length: 9\r\n\r\naccount=7", "415 BADTYPE"),
    ("plain text that is JSON", POST.replace(b"application/json", b"text/plain")
     + b"Content-Length: " + SIZE + b"\r\n\r\n" + BODY, "415 BADTYPE"),
    ("a body in gzip", POST + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
     "415 BADTYPE"),
    ("JSON in UTF-16", POST.replace(b"json", b"json; charset=utf-16") + b"Content-Length: 2\r\n\r\n{}",
     "415 BADTYPE"),
    ("a body on GET", GET + b"Content-Type: application/json\r\n"
     b"Content-Length: 2\r\n\r\n{}", "400 NOBODY"),
    ("not JSON", post(b"account=7"), "400 BADJSON"),
    ("half JSON", post(b'{"account":'), "400 BADJSON"),
    ("JSON and more", post(BODY + b"x"), "400 BADJSON"),
    ("two objects", post(BODY + BODY), "400 BADJSON"),
    ("an array", post(b'["account",7]'), "400 BADJSON"),
    ("a key twice", post(b'{"account":"7","account":"8"}'), "400 BADJSON"),
    ("a NUL in a body", post(b'{"account":"7\0"}'), "400 BADJSON"),
    ("an escaped NUL in a body", post(b'{"account":"7\\u0000"}'), "400 BADJSON"),
    ("half a surrogate", post(b'{"account":"\\ud800"}'), "400 BADJSON"),
    ("not UTF-8", post(b'{"account":"\xff"}'), "400 BADJSON"),
    ("overlong UTF-8", post(b'{"account":"\xc0\xb7"}'), "400 BADJSON"),
    ("a byte order mark", post(b"\xef\xbb\xbf" + BODY), "400 BADJSON"),
    ("a comment", post(b'{/* 7 */"account":"7"}'), "400 BADJSON"),
    ("a comma too many", post(b'{"account":"7",}'), "400 BADJSON"),
    ("nine deep", post(b'{"account":' + b"[" * 8 + b"]" * 8 + b"}"), "400 BADJSON"),
    ("half a million deep", post(b"[" * 500000), "400 BADJSON"),
    ("half a million objects deep", post(b'{"a":' * 100000), "400 BADJSON"),
    ("a string of 17 KiB", post(b'{"account":"' + b"7" * 17000 + b'"}'), "400 BADJSON"),
    ("a number of 100,000 digits", post(b'{"account":' + b"7" * 100000 + b"}"), "400 BADJSON"),
    ("an infinite number", post(b'{"account":1e999}'), "400 BADJSON"),
    ("a number with a fraction", post(b'{"account":7.5}'), "422 BADID"),
    ("a negative number", post(b'{"account":-7}'), "422 BADID"),
    ("null", post(b'{"account":null}'), "422 BADID"),
    ("a member nobody knows", post(b'{"account":"7","Account":"8"}'), "422 UNKNOWNFIELD"),
    ("__proto__", post(b'{"account":"7","__proto__":{}}'), "422 UNKNOWNFIELD"),
    ("100,000 members", post(b'{"account":"7"' + b"".join(b',"%d":1' % i for i in range(80000))
                             + b"}"), "422 UNKNOWNFIELD"),

    # --- others who speak here
    ("TLS", TLS, "waits"),
    ("TLS and a line end", TLS + b"\r\n\r\n", "closed"),
    ("RESP", b"*3\r\n$4\r\nLIKE\r\n$1\r\n7\r\n$3\r\n666\r\n", "closed"),
    ("RESP in a line", b"LIKE 7 666\r\n", OWN),
    ("RESP in a line, one word", b"PING\r\n", "closed"),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", "closed"),
    ("SMTP", b"EHLO localhost\r\n", "waits"),
    ("bytes", b"\x00\x01\x02\x03\r\n\r\n", "waits"),
    ("CR alone for line ends", b"GET /v1/sequence HTTP/1.1\rHost: localhost\r\r", "waits"),
    ("nothing but empty lines", b"\r\n\r\n", "waits"),
    ("a good request, then junk", GET + b"\r\nJUNK\r\n\r\n", "200 closed"),
    ("a body longer than said", GOOD + b"Content-Length: " + SIZE + b"\r\n\r\n" + BODY + b"xyz\r\n\r\n",
     "200 closed"),
    ("a request inside a body", GOOD + b"Content-Length: " + SIZE + b"\r\n\r\n" + BODY
     + b"PUT /v1/items/666/likes/%37 HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 422"),
]

# What libmicrohttpd 0.9.75 takes and RFC 9112 does not want taken.
DEVIATIONS = [
    ("bare LF before the first line", b"\n" + GET + b"\r\n", "200"),
    ("bare LF in chunk framing", chunked(HEX + b"\n" + BODY + b"\n0\n\n", GOOD), "200"),
    ("bare LF behind a chunk", chunked(b"10\r\n" + BODY + b"\r\n0\r\n\r\n", GOOD), "200"),
]


def pieces(data, dice):
    """Small pieces of the first 3000 bytes, then the rest: what matters is at the beginning."""
    at = 0
    while at < min(len(data), 3000):
        size = dice.randrange(1, 8)
        yield data[at:at + size]
        at += size
    yield data[at:]


def end_of(port, data, end, dice):
    """What really happens, in the words of the table; dice None sends all at once."""
    connection = Connection(port)
    for piece in [data] if dice is None else pieces(data, dice):
        if not connection.send(piece):
            break
    words = end.split()
    try:
        if words[0] == "waits":
            return "closed" if connection.is_closed(0.3) else "waits"
        if "-" in words:
            return own_words(connection)
        answer = connection.answer()
        if answer is None:
            return "closed"
        seen = [str(answer.status)] + ([answer.code] if answer.status >= 400 else [])
        if len(words) > 1 and words[1].isdigit():
            return " ".join(seen + [str(connection.answer().status)])
        if answer.headers.get("connection") == "close" or words[-1] == "closed":
            assert connection.is_closed(5.0), "said close and did not"
            return " ".join(seen + ["closed"])
        connection.send(GET + b"\r\n")
        assert connection.answer().status == 200, "the connection was not kept"
        return " ".join(seen)
    finally:
        connection.close()


def own_words(connection):
    """libmicrohttpd 0.9.75 writes some of its refusals with two heads; only the first line counts."""
    data = b""
    while True:
        try:
            more = connection.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            break
        data += more
    if not data:
        return "closed"
    assert b"problem+json" not in data, data[:300]
    return "%s - closed" % data.split(b" ")[1].decode()


def run():
    dice = random.Random(twin_server.seed())
    server, port = open_server()
    wrong = 0
    for name, data, end in ROWS + DEVIATIONS:
        for how in (None, dice):
            try:
                seen = end_of(port, data, end, how)
            except Exception as error:  # the row must be named, whatever went wrong
                seen = "%s: %s" % (type(error).__name__, error)
            if seen != end:
                wrong += 1
                print("%s%s: expected %s, seen %s" % (name, "" if how is None else " (in pieces)",
                                                      end, seen), flush=True)
    names = [row[0] for row in ROWS + DEVIATIONS]
    assert len(names) == len(set(names)), "two rows of one name"
    assert len(names) >= 150
    print("%d rows, each sent twice; %d wrong" % (len(names), wrong))
    connection = Connection(port)
    connection.send(request("GET", "/v1/items/666/counts"))
    answer = connection.answer()
    if answer.status == 200:
        assert not any(value for name, value in answer.json["counts"].items() if name not in ("likes", "views")), \
            "a refused write was applied: %r" % answer
    assert wrong == 0
    if server is not None:
        assert server.stop() == 0, server.messages


main(run)
