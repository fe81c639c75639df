/* Hand-made bytes, good and bad, and exactly what the parser says to them (T18, RESP part).
 *
 * Every case is also fed byte by byte: each beginning must be AGAIN until the command is whole or
 * wrong, and stay what it became. Every beginning lies against a page that may not be read. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"
#include "wire/resp.h"

#define ROOM_BYTES (512u << 10) /* more than RESP_INPUT_MAX */

enum who { KNOWN, STRANGER, TINY };

static const struct resp_limits limits_of[] = {
    [KNOWN] = {RESP_ARGS_MAX, RESP_BULK_MAX, true},
    [STRANGER] = {4, 1024, false}, /* before login */
    [TINY] = {3, 8, true},
};

struct row {
    const char *bytes;
    size_t size;
    enum resp_result result;
    enum status status; /* INVALID */
    size_t rest;        /* OK: bytes behind the command */
    const char *args;   /* OK: the arguments, each followed by '|' */
    enum who who;
};

#define ROW(bytes, result, status, rest, args, who)                                                \
    {bytes, sizeof bytes - 1, result, status, rest, args, who}
#define OK(bytes, args)             ROW(bytes, RESP_OK, STATUS_OK, 0, args, KNOWN)
#define OK_REST(bytes, rest, args)  ROW(bytes, RESP_OK, STATUS_OK, rest, args, KNOWN)
#define AGAIN(bytes)                ROW(bytes, RESP_AGAIN, STATUS_OK, 0, "", KNOWN)
#define PROTO(bytes)                ROW(bytes, RESP_INVALID, STATUS_PROTO, 0, "", KNOWN)
#define TOOBIG(bytes)               ROW(bytes, RESP_INVALID, STATUS_TOOBIG, 0, "", KNOWN)
#define OK_FOR(who, bytes, args)    ROW(bytes, RESP_OK, STATUS_OK, 0, args, who)
#define AGAIN_FOR(who, bytes)       ROW(bytes, RESP_AGAIN, STATUS_OK, 0, "", who)
#define PROTO_FOR(who, bytes)       ROW(bytes, RESP_INVALID, STATUS_PROTO, 0, "", who)
#define TOOBIG_FOR(who, bytes)      ROW(bytes, RESP_INVALID, STATUS_TOOBIG, 0, "", who)

/* clang-format off */
static const struct row rows[] = {
    /* --- whole arrays --- */
    OK("*1\r\n$4\r\nPING\r\n", "PING|"),
    OK("*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", "ECHO|hi|"),
    OK("*3\r\n$4\r\nLIKE\r\n$1\r\n1\r\n$1\r\n2\r\n", "LIKE|1|2|"),
    OK("*3\r\n$4\r\nLIKE\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n", "LIKE|18446744073709551615|0|"),
    OK("*1\r\n$0\r\n\r\n", "|"),
    OK("*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n", "|||"),
    OK("*0\r\n", ""),
    OK_REST("*0\r\n*0\r\n", 4, ""),
    OK_REST("*1\r\n$4\r\nPING\r\n*1\r\n", 4, "PING|"),
    OK_REST("*1\r\n$4\r\nPING\r\nPING\r\n", 6, "PING|"),
    OK_REST("*1\r\n$4\r\nPING\r\n\x16\x03\x01", 3, "PING|"),
    OK_REST("*1\r\n$4\r\nPING\r\n\r\n", 2, "PING|"),
    OK_REST("*1\r\n$4\r\nPING\r\n*-1\r\n", 5, "PING|"),
    OK("*1\r\n$2\r\n\r\n\r\n", "\r\n|"),
    OK("*1\r\n$1\r\n\r\r\n", "\r|"),
    OK("*1\r\n$1\r\n\n\r\n", "\n|"),
    OK("*2\r\n$4\r\n*1\r\n\r\n$4\r\n$1\r\n\r\n", "*1\r\n|$1\r\n|"),
    OK("*1\r\n$6\r\n\"quote\r\n", "\"quote|"),
    OK("*1\r\n$3\r\na b\r\n", "a b|"),
    OK("*1\r\n$4\r\n\xF0\x9F\x91\x8D\r\n", "\xF0\x9F\x91\x8D|"),
    OK("*1\r\n$6\r\n\xE8\xB5\x9E\xE8\xB5\x9E\r\n", "\xE8\xB5\x9E\xE8\xB5\x9E|"),
    OK("*1\r\n$2\r\n\xFF\xFE\r\n", "\xFF\xFE|"),
    OK("*1\r\n$9\r\n123456789\r\n", "123456789|"),
    OK("*1\r\n$10\r\n1234567890\r\n", "1234567890|"),
    OK("*10\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n$1\r\ng\r\n$1\r\nh\r\n$1\r\ni\r\n$1\r\nj\r\n",
       "a|b|c|d|e|f|g|h|i|j|"),
    OK("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", "HELLO|3|"),
    OK("*1\r\n$4\r\nquit\r\n", "quit|"),

    /* --- the head of an array --- */
    PROTO("*\r\n"), PROTO("*\n"), PROTO("* 1\r\n"), PROTO("*1 \r\n"), PROTO("*+1\r\n"),
    PROTO("*-1\r\n"), PROTO("*-0\r\n"), PROTO("*-"), PROTO("*--1\r\n"),
    PROTO("*-2147483648\r\n"), PROTO("*-9223372036854775808\r\n"),
    PROTO("*00\r\n"), PROTO("*01\r\n"), PROTO("*001\r\n$4\r\nPING\r\n"), PROTO("*1a\r\n"),
    PROTO("*a\r\n"), PROTO("*x"), PROTO("*0x1\r\n"), PROTO("*1.0\r\n"), PROTO("*1e1\r\n"),
    PROTO("*1\n$4\nPING\n"), PROTO("*1\n"), PROTO("*1\r$4\r\n"), PROTO("*1\r\r\n"),
    PROTO("*1\r \n"), PROTO("*1\0\r\n"), PROTO("*\0"), PROTO("*\t1\r\n"), PROTO("**1\r\n"),
    PROTO("*$1\r\n"), PROTO("*1,000\r\n"), PROTO("*\xB1\r\n"), PROTO("*1\xFF"), PROTO("*:1\r\n"),
    PROTO("*?\r\n"), PROTO("*1/\r\n"), PROTO("*1:\r\n"),
    TOOBIG("*1101\r\n"), TOOBIG("*1101"), TOOBIG("*2000\r\n"), TOOBIG("*9999\r\n"),
    TOOBIG("*11000"), TOOBIG("*1048576\r\n"), TOOBIG("*2147483647\r\n"), TOOBIG("*2147483648\r\n"),
    TOOBIG("*4294967295\r\n"), TOOBIG("*4294967296\r\n"), TOOBIG("*4294967297\r\n$4\r\nPING\r\n"),
    TOOBIG("*18446744073709551616\r\n"), TOOBIG("*18446744073709551617\r\n$4\r\nPING\r\n"),
    TOOBIG("*99999999999999999999999999999999999999\r\n"), TOOBIG("*9999x\r\n"),
    AGAIN("*1100\r\n"), AGAIN("*1100"), AGAIN("*1099\r\n"),

    /* --- the head of an argument --- */
    PROTO("*1\r\nPING\r\n"), PROTO("*1\r\n4\r\nPING\r\n"), PROTO("*1\r\n+PING\r\n"),
    PROTO("*1\r\n:4\r\n"), PROTO("*1\r\n*1\r\n$4\r\nPING\r\n"), PROTO("*1\r\n-ERR\r\n"),
    PROTO("*1\r\n_\r\n"), PROTO("*1\r\n#t\r\n"), PROTO("*1\r\n,1.5\r\n"), PROTO("*1\r\n(1\r\n"),
    PROTO("*1\r\n=8\r\ntxt:PING\r\n"), PROTO("*1\r\n!4\r\nPING\r\n"), PROTO("*1\r\n%1\r\n"),
    PROTO("*1\r\n~1\r\n"), PROTO("*1\r\n>1\r\n"), PROTO("*1\r\n|1\r\n"), PROTO("*1\r\n\r\n"),
    PROTO("*1\r\n\n"), PROTO("*1\r\n \r\n"), PROTO("*1\r\n\0"), PROTO("*1\r\n $4\r\nPING\r\n"),
    PROTO("*1\r\n$\r\n"), PROTO("*1\r\n$\n"), PROTO("*1\r\n$-1\r\n"), PROTO("*1\r\n$-0\r\n"),
    PROTO("*1\r\n$-4\r\nPING\r\n"), PROTO("*1\r\n$+4\r\nPING\r\n"), PROTO("*1\r\n$ 4\r\nPING\r\n"),
    PROTO("*1\r\n$4 \r\nPING\r\n"), PROTO("*1\r\n$04\r\nPING\r\n"), PROTO("*1\r\n$00\r\n\r\n"),
    PROTO("*1\r\n$4\nPING\r\n"), PROTO("*1\r\n$4\rPING\r\n"), PROTO("*1\r\n$4\r\rPING\r\n"),
    PROTO("*1\r\n$4x\r\nPING\r\n"), PROTO("*1\r\n$x4\r\nPING\r\n"), PROTO("*1\r\n$0x4\r\nPING\r\n"),
    PROTO("*1\r\n$4.0\r\nPING\r\n"), PROTO("*1\r\n$4\0\r\nPING\r\n"), PROTO("*1\r\n$$4\r\n"),
    PROTO("*1\r\n$?\r\n;4\r\nPING\r\n;0\r\n"), PROTO("*1\r\n$\xB4\r\n"), PROTO("*1\r\n$4;\r\n"),
    PROTO("*2\r\n$4\r\nPING\r\nPING\r\n"), PROTO("*2\r\n$4\r\nPING\r\n*0\r\n"),
    PROTO("*2\r\n$4\r\nPING\r\n\r\n"), PROTO("*2\r\n$4\r\nPING\r\n$-1\r\n"),
    TOOBIG("*1\r\n$65537\r\n"), TOOBIG("*1\r\n$65537"), TOOBIG("*1\r\n$99999\r\n"),
    TOOBIG("*1\r\n$655360"), TOOBIG("*1\r\n$1048576\r\n"), TOOBIG("*1\r\n$536870912\r\n"),
    TOOBIG("*1\r\n$536870913\r\n"), TOOBIG("*1\r\n$2147483647\r\n"), TOOBIG("*1\r\n$2147483648\r\n"),
    TOOBIG("*1\r\n$4294967295\r\n"), TOOBIG("*1\r\n$4294967296\r\n\r\n"),
    TOOBIG("*1\r\n$4294967300\r\nPING\r\n"), TOOBIG("*1\r\n$9223372036854775807\r\n"),
    TOOBIG("*1\r\n$18446744073709551615\r\n"), TOOBIG("*1\r\n$18446744073709551620\r\nPING\r\n"),
    TOOBIG("*1\r\n$99999999999999999999999999\r\n"), TOOBIG("*1\r\n$99999x"),
    TOOBIG("*2\r\n$4\r\nECHO\r\n$65537\r\n"),
    AGAIN("*1\r\n$65536\r\n"), AGAIN("*1\r\n$65535\r\n"), AGAIN("*1\r\n$65536"),

    /* --- the end of an argument --- */
    PROTO("*1\r\n$4\r\nPINGX\r\n"), PROTO("*1\r\n$4\r\nPING\n"), PROTO("*1\r\n$4\r\nPING\n\n"),
    PROTO("*1\r\n$4\r\nPING\r\r"), PROTO("*1\r\n$4\r\nPING\rX"), PROTO("*1\r\n$4\r\nPING \r\n"),
    PROTO("*1\r\n$4\r\nPING\0\r\n"), PROTO("*1\r\n$3\r\nPING\r\n"), PROTO("*1\r\n$0\r\nPING\r\n"),
    PROTO("*1\r\n$0\r\n\n"), PROTO("*1\r\n$0\r\n\r\r"), PROTO("*1\r\n$1\r\nPING\r\n"),
    PROTO("*1\r\n$4\r\nPING$4\r\n"), PROTO("*2\r\n$4\r\nECHO\r\n$1\r\nhi\r\n"),
    PROTO("*3\r\n$4\r\nLIKE\r\n$1\r\n1\n\n$1\r\n2\r\n"), PROTO("*1\r\n$5\r\nPING\r\nX"), PROTO("*1\r\n$5\r\nPING\r\n"),
    PROTO("*3\r\n$4\r\nLIKE\r\n$1\r\n12\r\n$1\r\n2\r\n"), PROTO("*1\r\n$6\r\nPING\r\n*1\r\n"),

    /* --- cut off: a good beginning --- */
    AGAIN(""), AGAIN("*"), AGAIN("*1"), AGAIN("*12"), AGAIN("*1\r"), AGAIN("*1\r\n"), AGAIN("*0"),
    AGAIN("*0\r"), AGAIN("*1\r\n$"), AGAIN("*1\r\n$4"), AGAIN("*1\r\n$4\r"), AGAIN("*1\r\n$4\r\n"),
    AGAIN("*1\r\n$4\r\nP"), AGAIN("*1\r\n$4\r\nPIN"), AGAIN("*1\r\n$4\r\nPING"),
    AGAIN("*1\r\n$4\r\nPING\r"), AGAIN("*1\r\n$0\r\n"), AGAIN("*1\r\n$0\r\n\r"), AGAIN("*1\r\n$0"),
    AGAIN("*2\r\n$4\r\nECHO\r\n"), AGAIN("*2\r\n$4\r\nECHO\r\n$"), AGAIN("*2\r\n$4\r\nECHO\r\n$2\r\nh"),
    AGAIN("*3\r\n$4\r\nLIKE\r\n$1\r\n1\r\n"), AGAIN("*3\r\n$4\r\nLIKE\r\n$1\r\n1\r\n$1\r\n2\r"),
    AGAIN("*1\r\n$5\r\nPING\r"), AGAIN("*1\r\n$6\r\nPING\r\n"), AGAIN("*1\r\n$8\r\n*1\r\n$4\r\n"),
    AGAIN("*1\r\n$100\r\n\r\n\r\n\r\n"), AGAIN("*1100\r\n$1\r\na\r\n"),
    AGAIN("P"), AGAIN("PING"), AGAIN("PING\r"), AGAIN(" "), AGAIN("\r"), AGAIN("\t"),
    AGAIN("LIKE 1 2"), AGAIN("\"PING"), AGAIN("'"), AGAIN("\"\\"), AGAIN("ECHO \"a b\" "),
    AGAIN("ECHO \"unclosed"), AGAIN("\xE8\xB5"), AGAIN("GET / HTTP/1.1"), AGAIN("\"\\x4"),

    /* --- lines --- */
    OK("PING\r\n", "PING|"), OK("PING\n", "PING|"), OK("\r\n", ""), OK("\n", ""), OK("   \r\n", ""),
    OK("\t\t\n", ""), OK("  PING  \r\n", "PING|"), OK("\tPING\t\r\n", "PING|"),
    OK("LIKE 1 2\r\n", "LIKE|1|2|"), OK("LIKE  1\t2\n", "LIKE|1|2|"), OK_REST("a\nb\n", 2, "a|"),
    OK_REST("\n\n", 1, ""), OK_REST("\r\n\r\n", 2, ""), OK_REST("PING\n*1\r\n", 4, "PING|"),
    OK_REST("PING\r\n\0", 1, "PING|"), OK("ECHO \"a b\"\r\n", "ECHO|a b|"),
    OK("ECHO 'a b'\n", "ECHO|a b|"), OK("ECHO \"\"\n", "ECHO||"), OK("ECHO ''\n", "ECHO||"),
    OK("\"\"\n", "|"), OK("\"a\" \"b\"\n", "a|b|"), OK("ECHO \"\\\"\"\n", "ECHO|\"|"),
    OK("ECHO \"\\\\\"\n", "ECHO|\\|"), OK("ECHO \"\\n\\r\\t\\a\\b\"\n", "ECHO|\n\r\t\a\b|"),
    OK("ECHO \"\\x41\\x7a\"\n", "ECHO|Az|"), OK("ECHO \"\\xE8\\xb5\\x9e\"\n", "ECHO|\xE8\xB5\x9E|"),
    OK("ECHO \"\\xZZ\"\n", "ECHO|xZZ|"), OK("ECHO \"\\x4\"\n", "ECHO|x4|"), OK("ECHO \"\\q\"\n", "ECHO|q|"),
    OK("ECHO '\\''\n", "ECHO|'|"), OK("ECHO '\\n'\n", "ECHO|\\n|"), PROTO("ECHO '\\\\'\n"), OK("ECHO '\\\\ '\n", "ECHO|\\\\ |"),
    OK("ECHO '\"'\n", "ECHO|\"|"), OK("ECHO \"'\"\n", "ECHO|'|"), OK("ECHO a\"b c\"\n", "ECHO|ab c|"),
    OK("ECHO a'b c'\n", "ECHO|ab c|"), OK("a\\b\n", "a\\b|"), OK("a\\n b\n", "a\\n|b|"),
    OK("-ERR oops\n", "-ERR|oops|"), OK("$4\n", "$4|"), OK("+OK\r\n", "+OK|"), OK(":1\r\n", ":1|"),
    OK("\xE8\xB5\x9E \xF0\x9F\x91\x8D\n", "\xE8\xB5\x9E|\xF0\x9F\x91\x8D|"), OK("\xFF\n", "\xFF|"),
    OK("ECHO \"tab\there\"\n", "ECHO|tab\there|"), OK("ECHO x #c\n", "ECHO|x|#c|"),
    OK("ECHO \"\\x0d\\x0a\"\n", "ECHO|\r\n|"),

    /* --- lines that are wrong --- */
    PROTO("ECHO \"\n"), PROTO("ECHO \"abc\r\n"), PROTO("ECHO '\n"), PROTO("ECHO 'abc\r\n"),
    PROTO("ECHO \"a\"b\n"), PROTO("ECHO 'a'b\n"), PROTO("ECHO \"a\"\"b\"\n"), PROTO("ECHO 'a''b'\n"),
    PROTO("ECHO \"a\"'b'\n"), PROTO("ECHO \"\\\"\n"), PROTO("ECHO '\\'\n"), PROTO("\"\n"), PROTO("'\n"),
    PROTO("a\"\n"), PROTO("\"a\" \"\n"), PROTO("\"\\\n"), PROTO("\"\\x4\n"),
    PROTO("\0"), PROTO("PING\0\r\n"), PROTO("\x01\r\n"), PROTO("PING\x1B[A\r\n"), PROTO("PING\x7F\n"),
    PROTO("\x08\n"), PROTO("\x0B\n"), PROTO("\x0C"), PROTO("\x04"), PROTO("\x1F"), PROTO("PING\rPING\r\n"),
    PROTO("PING\r\r\n"), PROTO("\r\r"), PROTO("\rPING"), PROTO("\"a\0b\"\n"), PROTO("ECHO \x02"),

    /* --- other languages on this port --- */
    PROTO("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"), PROTO("\x16\x03\x03"), PROTO("\x15\x03\x01"),
    PROTO("\x00\x00\x00\x08\x04\xD2\x16\x2F"), PROTO("\x00\x03\x00\x00user\0x\0"),
    PROTO("\x12\x01\x00\x2F\x00\x00"), PROTO("\x05\x01\x00"), PROTO("\x04\x01\x00\x50"),
    PROTO("\x10\x0E\x00\x04MQTT"), PROTO("\xFF\xFB\x1F\x01"),
    OK_REST("\r\n\r\n\0\r\nQUIT\n", 10, ""), PROTO("\0\r\nQUIT\n"),
    OK_REST("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 11, "GET|/|HTTP/1.1|"),
    OK_REST("POST /v1 HTTP/1.1\r\nHost: a\r\n\r\n", 11, "POST|/v1|HTTP/1.1|"),
    OK("Host: 127.0.0.1:6390\r\n", "Host:|127.0.0.1:6390|"),
    OK_REST("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 8, "PRI|*|HTTP/2.0|"),
    OK("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-OpenSSH_9.2p1|Debian-2|"),
    OK("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "PROXY|TCP4|10.0.0.1|10.0.0.2|1|2|"),
    OK_REST("%1\r\n$1\r\na\r\n$1\r\nb\r\n", 14, "%1|"),
    OK("EHLO mail.example\r\n", "EHLO|mail.example|"), OK("get key\r\n", "get|key|"),
    PROTO("{\"verb\":\"LIKE\"}\n"), OK("{verb: 1}\n", "{verb:|1}|"),

    /* --- before login: four arguments of 1 KiB, no lines --- */
    OK_FOR(STRANGER, "*1\r\n$4\r\nPING\r\n", "PING|"),
    OK_FOR(STRANGER, "*0\r\n", ""),
    OK_FOR(STRANGER, "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n", "a|b|c|d|"),
    AGAIN_FOR(STRANGER, "*4\r\n"), AGAIN_FOR(STRANGER, "*1\r\n$1024\r\n"), AGAIN_FOR(STRANGER, ""),
    TOOBIG_FOR(STRANGER, "*5"), TOOBIG_FOR(STRANGER, "*5\r\n"), TOOBIG_FOR(STRANGER, "*10\r\n"),
    TOOBIG_FOR(STRANGER, "*1100\r\n"), TOOBIG_FOR(STRANGER, "*1\r\n$1025\r\n"),
    TOOBIG_FOR(STRANGER, "*1\r\n$65536\r\n"), TOOBIG_FOR(STRANGER, "*2\r\n$4\r\nAUTH\r\n$1025"),
    PROTO_FOR(STRANGER, "PING\r\n"), PROTO_FOR(STRANGER, "P"), PROTO_FOR(STRANGER, "\r\n"),
    PROTO_FOR(STRANGER, "\n"), PROTO_FOR(STRANGER, " "), PROTO_FOR(STRANGER, "AUTH a b\r\n"),
    PROTO_FOR(STRANGER, "GET / HTTP/1.1\r\n"), PROTO_FOR(STRANGER, "\x16\x03\x01"),
    PROTO_FOR(STRANGER, "$4\r\nPING\r\n"), PROTO_FOR(STRANGER, "\0"),

    /* --- three arguments of eight bytes --- */
    OK_FOR(TINY, "a b c\n", "a|b|c|"), TOOBIG_FOR(TINY, "a b c d\n"), TOOBIG_FOR(TINY, "a b c \"\n"),
    OK_FOR(TINY, "12345678\n", "12345678|"), TOOBIG_FOR(TINY, "123456789\n"),
    TOOBIG_FOR(TINY, "\"123456789\"\n"), OK_FOR(TINY, "\"\\x31\\x32345678\"\n", "12345678|"),
    OK_FOR(TINY, "*1\r\n$8\r\n12345678\r\n", "12345678|"), TOOBIG_FOR(TINY, "*1\r\n$9\r\n123456789\r\n"),
    AGAIN_FOR(TINY, "a b c d"), AGAIN_FOR(TINY, "123456789"), TOOBIG_FOR(TINY, "*4\r\n"),
    PROTO_FOR(TINY, "a \"b\n"), AGAIN_FOR(TINY, "*3\r\n$8\r\n12345678\r\n"),
};
/* clang-format on */

#define ROW_COUNT (sizeof rows / sizeof rows[0])
static_assert(ROW_COUNT >= 250, "T18 asks for that many");

/* --- the fence -------------------------------------------------------------------------------- */

struct fence {
    uint8_t *room;
    size_t size;
};

static int raise_fence(void **state)
{
    static struct fence fence;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    fence.size = ROOM_BYTES;
    fence.room = mmap(NULL, ROOM_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
    if (fence.room == MAP_FAILED || mprotect(fence.room + ROOM_BYTES, page, PROT_NONE) != 0)
        return -1;
    *state = &fence;
    return 0;
}

struct answer {
    enum resp_result result;
    struct resp_command command;
};

/* Parses bytes that end where reading is forbidden. */
static struct answer ask(const struct fence *fence, const void *bytes, size_t size, enum who who)
{
    static struct resp_slice args[RESP_ARGS_MAX];
    uint8_t *copy = fence->room + fence->size - size;
    struct answer answer = {.command = {.args = args}};

    if (size > 0)
        memcpy(copy, bytes, size);
    answer.result = resp_parse(copy, size, &limits_of[who], &answer.command);
    assert_memory_equal(copy, size > 0 ? bytes : copy, size); /* it may be parsed again */
    return answer;
}

static bool same_args(const struct resp_command *command, const char *args, size_t args_size)
{
    size_t at = 0;

    for (uint32_t i = 0; i < command->count; i++) {
        struct resp_slice arg = command->args[i];

        if (args_size - at < (size_t)arg.size + 1)
            return false;
        if (memcmp(args + at, arg.bytes, arg.size) != 0 || args[at + arg.size] != '|')
            return false;
        at += (size_t)arg.size + 1;
    }
    return at == args_size;
}

static void show(const struct row *row, const char *what)
{
    char text[256];
    size_t used = 0;

    for (size_t i = 0; i < row->size && used < sizeof text - 5; i++) {
        unsigned char byte = (unsigned char)row->bytes[i];

        if (byte >= ' ' && byte <= '~')
            text[used++] = (char)byte;
        else
            used += (size_t)snprintf(text + used, 5, "\\x%02X", byte);
    }
    text[used] = '\0';
    fail_msg("row %zu: %s: %s", (size_t)(row - rows), text, what);
}

static void check_whole(const struct fence *fence, const struct row *row)
{
    struct answer answer = ask(fence, row->bytes, row->size, row->who);

    if (answer.result != row->result)
        show(row, answer.result == RESP_OK      ? "OK"
                  : answer.result == RESP_AGAIN ? "AGAIN"
                                                : "INVALID");
    if (row->result == RESP_INVALID && answer.command.status != row->status)
        show(row, status_info(answer.command.status)->code);
    if (row->result == RESP_INVALID && strlen(answer.command.detail) < 10)
        show(row, "says nothing");
    if (row->result == RESP_AGAIN && answer.command.size <= row->size)
        show(row, "AGAIN, but waits for nothing");
    if (row->result != RESP_OK)
        return;
    if (answer.command.size != row->size - row->rest)
        show(row, "another size");
    if (!same_args(&answer.command, row->args, strlen(row->args)))
        show(row, "other arguments");
}

/* What n bytes gave, more bytes must not change, unless it was AGAIN. */
static void check_step(const struct row *row, const struct answer *before,
                       const struct answer *after, size_t size)
{
    if (before->result == RESP_AGAIN) {
        if (after->result != RESP_AGAIN && before->command.size > size)
            show(row, "AGAIN told to wait for too much");
        return;
    }
    if (after->result != before->result)
        show(row, "changed its mind");
    if (before->result == RESP_INVALID && (after->command.status != before->command.status ||
                                           after->command.detail != before->command.detail))
        show(row, "gave another reason");
    if (before->result == RESP_OK && (after->command.size != before->command.size ||
                                      after->command.count != before->command.count))
        show(row, "read it in another way");
}

static void every_row_ends_as_told(void **state)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        check_whole(*state, &rows[i]);
}

static void every_beginning_agrees(void **state)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct answer before = ask(*state, rows[i].bytes, 0, rows[i].who);

        if (before.result != RESP_AGAIN)
            show(&rows[i], "nothing is more than a beginning");
        for (size_t size = 1; size <= rows[i].size; size++) {
            struct answer after = ask(*state, rows[i].bytes, size, rows[i].who);

            check_step(&rows[i], &before, &after, size);
            before = after;
        }
    }
}

/* --- at the limits, too long to be written down ----------------------------------------------- */

struct text {
    char *bytes;
    size_t size;
};

static void add(struct text *text, const char *bytes, size_t size)
{
    assert_true(text->size + size <= ROOM_BYTES);
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

static void add_head(struct text *text, char type, size_t number)
{
    char head[32];

    add(text, head, (size_t)snprintf(head, sizeof head, "%c%zu\r\n", type, number));
}

static void add_argument(struct text *text, size_t size)
{
    static char filler[RESP_BULK_MAX];

    memset(filler, 'x', sizeof filler);
    add_head(text, '$', size);
    add(text, filler, size);
    add(text, "\r\n", 2);
}

static void as_many_arguments_as_allowed(void **state)
{
    struct text text = {.bytes = malloc(ROOM_BYTES)};
    struct answer answer;

    add_head(&text, '*', RESP_ARGS_MAX);
    for (int i = 0; i < RESP_ARGS_MAX; i++)
        add_argument(&text, 20);
    for (size_t size = 0; size < text.size; size += 1 + size % 97) {
        answer = ask(*state, text.bytes, size, KNOWN);
        assert_int_equal(answer.result, RESP_AGAIN);
    }
    answer = ask(*state, text.bytes, text.size, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.count, RESP_ARGS_MAX);
    assert_int_equal(answer.command.size, text.size);
    assert_int_equal(answer.command.args[RESP_ARGS_MAX - 1].size, 20);
    free(text.bytes);
}

static void as_long_an_argument_as_allowed(void **state)
{
    struct text text = {.bytes = malloc(ROOM_BYTES)};
    struct answer answer;

    add_head(&text, '*', 1);
    add_argument(&text, RESP_BULK_MAX);
    answer = ask(*state, text.bytes, text.size - 1, KNOWN);
    assert_int_equal(answer.result, RESP_AGAIN);
    assert_int_equal(answer.command.size, text.size);
    answer = ask(*state, text.bytes, text.size, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.args[0].size, RESP_BULK_MAX);

    /* Half of it tells how much is worth waiting for: all but the LF. */
    answer = ask(*state, text.bytes, text.size / 2, KNOWN);
    assert_int_equal(answer.result, RESP_AGAIN);
    assert_int_equal(answer.command.size, text.size - 1);
    free(text.bytes);
}

/* A command that no buffer holds must end, or the connection would wait for ever. */
static void no_command_is_longer_than_the_buffer(void **state)
{
    struct text text = {.bytes = malloc(ROOM_BYTES)};
    struct answer answer;
    size_t last;

    add_head(&text, '*', 4);
    for (int i = 0; i < 3; i++)
        add_argument(&text, RESP_BULK_MAX);
    last = RESP_INPUT_MAX - text.size - strlen("$12345\r\n") - 2;
    add_argument(&text, last);
    assert_int_equal(text.size, RESP_INPUT_MAX);
    answer = ask(*state, text.bytes, text.size, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.size, RESP_INPUT_MAX);

    text.size -= last + strlen("$12345\r\n") + 2;
    add_head(&text, '$', last + 1);
    answer = ask(*state, text.bytes, text.size, KNOWN);
    assert_int_equal(answer.result, RESP_INVALID);
    assert_int_equal(answer.command.status, STATUS_TOOBIG);
    free(text.bytes);
}

/* The same with a tail of small arguments that straddles the limit in every way. */
static void the_buffer_may_end_anywhere_in_an_argument(void **state)
{
    for (size_t shift = 0; shift < 12; shift++) {
        struct text text = {.bytes = malloc(ROOM_BYTES)};
        struct answer answer;
        size_t before;

        add_head(&text, '*', 9);
        for (int i = 0; i < 3; i++)
            add_argument(&text, RESP_BULK_MAX);
        before = RESP_INPUT_MAX - text.size - strlen("$12345\r\n") - 2 - shift;
        add_argument(&text, before);
        while (text.size < RESP_INPUT_MAX + 100)
            add_argument(&text, 3);
        answer = ask(*state, text.bytes, text.size, KNOWN);
        assert_int_equal(answer.result, RESP_INVALID);
        assert_int_equal(answer.command.status, STATUS_TOOBIG);
        answer = ask(*state, text.bytes, RESP_INPUT_MAX, KNOWN);
        assert_int_equal(answer.result, RESP_INVALID);
        assert_int_equal(answer.command.status, STATUS_TOOBIG);
        free(text.bytes);
    }
}

static void a_line_has_an_end(void **state)
{
    char *line = malloc(ROOM_BYTES);
    struct answer answer;

    memset(line, 'x', ROOM_BYTES);
    answer = ask(*state, line, RESP_INLINE_MAX, KNOWN);
    assert_int_equal(answer.result, RESP_AGAIN);
    answer = ask(*state, line, RESP_INLINE_MAX + 1, KNOWN);
    assert_int_equal(answer.result, RESP_INVALID);
    assert_int_equal(answer.command.status, STATUS_TOOBIG);
    memcpy(line + RESP_INLINE_MAX, "\r\n", 2);
    answer = ask(*state, line, RESP_INLINE_MAX + 1, KNOWN);
    assert_int_equal(answer.result, RESP_AGAIN);
    answer = ask(*state, line, RESP_INLINE_MAX + 2, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.args[0].size, RESP_INLINE_MAX);
    free(line);
}

static void a_line_has_as_many_words_as_allowed(void **state)
{
    char *line = malloc(ROOM_BYTES);
    struct answer answer;

    for (size_t i = 0; i <= RESP_ARGS_MAX; i++)
        memcpy(line + 2 * i, "a ", 2);
    line[2 * RESP_ARGS_MAX] = '\n';
    answer = ask(*state, line, 2 * RESP_ARGS_MAX + 1, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.count, RESP_ARGS_MAX);
    memcpy(line + 2 * RESP_ARGS_MAX, "a\n", 2);
    answer = ask(*state, line, 2 * RESP_ARGS_MAX + 2, KNOWN);
    assert_int_equal(answer.result, RESP_INVALID);
    assert_int_equal(answer.command.status, STATUS_TOOBIG);
    free(line);
}

/* Unquoted words and the list of words share the room of the list. */
static void a_line_with_quotes_has_fewer_words(void **state)
{
    const size_t room = RESP_ARGS_MAX * sizeof(struct resp_slice);
    char *line = malloc(ROOM_BYTES);

    for (size_t words = 2; words <= RESP_ARGS_MAX; words++) {
        size_t size = 0;
        struct answer answer;

        for (size_t i = 1; i < words; i++)
            size += (size_t)snprintf(line + size, 20, "%04zu-abcd ", i);
        size += (size_t)snprintf(line + size, 20, "\"a b\"");
        line[size] = '\n';
        answer = ask(*state, line, size + 1, KNOWN);
        if (words * sizeof(struct resp_slice) > room - size) {
            assert_int_equal(answer.result, RESP_INVALID);
            assert_int_equal(answer.command.status, STATUS_TOOBIG);
            continue;
        }
        assert_int_equal(answer.result, RESP_OK);
        assert_int_equal(answer.command.count, words);
        for (size_t i = 1; i < words; i++) {
            char expected[20];

            snprintf(expected, sizeof expected, "%04zu-abcd", i);
            assert_memory_equal(answer.command.args[i - 1].bytes, expected, 9);
        }
        assert_int_equal(answer.command.args[words - 1].size, 3);
        assert_memory_equal(answer.command.args[words - 1].bytes, "a b", 3);
    }
    free(line);
}

/* The longest line, all of it in quotes. */
static void a_whole_line_may_be_quoted(void **state)
{
    char *line = malloc(ROOM_BYTES);
    struct answer answer;

    memset(line, 'x', RESP_INLINE_MAX);
    line[0] = '"';
    line[RESP_INLINE_MAX - 1] = '"';
    line[RESP_INLINE_MAX] = '\n';
    answer = ask(*state, line, RESP_INLINE_MAX + 1, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.args[0].size, RESP_INLINE_MAX - 2);
    assert_memory_equal(answer.command.args[0].bytes, line + 1, RESP_INLINE_MAX - 2);
    free(line);
}

static void zero_bytes_pass_through_an_array(void **state)
{
    struct answer answer = ask(*state, "*1\r\n$3\r\na\0b\r\n", 13, KNOWN);

    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.args[0].size, 3);
    assert_memory_equal(answer.command.args[0].bytes, "a\0b", 3);
    answer = ask(*state, "\"a\\x00b\"\n", 9, KNOWN);
    assert_int_equal(answer.result, RESP_OK);
    assert_int_equal(answer.command.args[0].size, 3);
    assert_memory_equal(answer.command.args[0].bytes, "a\0b", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_ends_as_told),
        cmocka_unit_test(every_beginning_agrees),
        cmocka_unit_test(as_many_arguments_as_allowed),
        cmocka_unit_test(as_long_an_argument_as_allowed),
        cmocka_unit_test(no_command_is_longer_than_the_buffer),
        cmocka_unit_test(the_buffer_may_end_anywhere_in_an_argument),
        cmocka_unit_test(a_line_has_an_end),
        cmocka_unit_test(a_line_has_as_many_words_as_allowed),
        cmocka_unit_test(a_line_with_quotes_has_fewer_words),
        cmocka_unit_test(a_whole_line_may_be_quoted),
        cmocka_unit_test(zero_bytes_pass_through_an_array),
    };

    printf("%zu rows\n", ROW_COUNT);
    return cmocka_run_group_tests(tests, raise_fence, NULL);
}
