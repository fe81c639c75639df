/* tls.c: the only file that knows OpenSSL's TLS. */
#include "serve/tls.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/hook.h"

#define FIRST_BYTE 22 /* of a handshake record (RFC 8446, 5.1) */

struct tls {
    struct tls_config config;
    pthread_mutex_t lock;
    SSL_CTX *context; /* guarded; connections hold it too */
};

struct tls_conn {
    SSL *ssl;
    int fd;
    bool looked, greeted;
};

/* --- keys ---------------------------------------------------------------------------------------
 */

/* What the library complained about last, without where: that would be our own source. */
static enum status complain(const char *what, const char *path, char message[256])
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    snprintf(message, 256, "%s %.140s: %.60s", what, path, reason != NULL ? reason : "unusable");
    ERR_clear_error();
    return STATUS_BADCONFIG;
}

/* Called for each certificate of a caller's chain; the last is his own. */
static int on_certificate(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    char name[TLS_NAME_MAX];

    if (PLANTED("tls.any_certificate"))
        return 1;
    if (!good || X509_STORE_CTX_get_error_depth(store) > 0 || tls->config.known == NULL)
        return good;
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(X509_STORE_CTX_get_current_cert(store)),
                                  NID_commonName, name, sizeof name) > 0 &&
        tls->config.known(tls->config.context, name))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static bool add_crl(SSL_CTX *context, const char *path)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    if (lookup == NULL || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) < 1)
        return false;
    return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
}

static enum status ask_for_certificates(const struct tls_config *config, SSL_CTX *context,
                                        char message[256])
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(config->client_ca);

    if (names == NULL || SSL_CTX_load_verify_file(context, config->client_ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return complain("tls-client-ca", config->client_ca, message);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_certificate);
    SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT);
    if (config->client_crl[0] != '\0' && !PLANTED("tls.no_crl") &&
        !add_crl(context, config->client_crl))
        return complain("tls-client-crl", config->client_crl, message);
    return STATUS_OK;
}

static bool set_rules(SSL_CTX *context, bool allow_1_2)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(context, 2); /* 112 bits: RSA from 2048, no SHA-1 */
    return SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_max_early_data(context, 0) == 1 &&
           SSL_CTX_set_min_proto_version(context, allow_1_2 || PLANTED("tls.old_version")
                                                      ? TLS1_2_VERSION
                                                      : TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") == 1;
}

static enum status load(struct tls *tls, SSL_CTX **out, char message[256])
{
    const struct tls_config *config = &tls->config;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    enum status status = STATUS_OK;

    ERR_clear_error();
    if (context == NULL || !set_rules(context, config->allow_1_2)) {
        SSL_CTX_free(context);
        return STATUS_NOMEMORY;
    }
    SSL_CTX_set_app_data(context, tls);
    if (SSL_CTX_use_certificate_chain_file(context, config->cert) != 1)
        status = complain("tls-cert", config->cert, message);
    else if (SSL_CTX_use_PrivateKey_file(context, config->key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(context) != 1)
        status = complain("tls-key", config->key, message);
    else if (config->client_ca[0] != '\0')
        status = ask_for_certificates(config, context, message);
    if (status != STATUS_OK)
        SSL_CTX_free(context);
    else
        *out = context;
    return status;
}

enum status tls_open(const struct tls_config *config, struct tls **out, char message[256])
{
    struct tls *tls = calloc(1, sizeof *tls);
    enum status status;

    /* No file of the system's changes what is spoken here. */
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (tls == NULL || pthread_mutex_init(&tls->lock, NULL) != 0) {
        free(tls);
        return STATUS_NOMEMORY;
    }
    tls->config = *config;
    status = load(tls, &tls->context, message);
    if (status != STATUS_OK)
        tls_close(tls);
    else
        *out = tls;
    return status;
}

enum status tls_reload(struct tls *tls, char message[256])
{
    SSL_CTX *fresh, *old;
    enum status status = load(tls, &fresh, message);

    if (status != STATUS_OK)
        return status;
    pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = fresh;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return STATUS_OK;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

/* --- a connection -------------------------------------------------------------------------------
 */

struct tls_conn *tls_accept(struct tls *tls, int fd)
{
    struct tls_conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        return NULL;
    conn->fd = fd;
    pthread_mutex_lock(&tls->lock);
    conn->ssl = SSL_new(tls->context);
    pthread_mutex_unlock(&tls->lock);
    if (conn->ssl == NULL || SSL_set_fd(conn->ssl, fd) != 1) {
        tls_free(conn);
        return NULL;
    }
    SSL_set_accept_state(conn->ssl);
    return conn;
}

void tls_free(struct tls_conn *conn)
{
    if (conn == NULL)
        return;
    SSL_free(conn->ssl);
    free(conn);
}

/* What the library said, as recv would say it. */
static ssize_t ending(struct tls_conn *conn, int result, int saved)
{
    switch (SSL_get_error(conn->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        errno = saved != 0 && saved != EAGAIN ? saved : ECONNRESET;
        return -1;
    default:
        errno = EPROTO;
        return -1;
    }
}

/* Somebody who does not speak TLS is told so in words, by whoever called. 1: he does; else what the
 * read ends with. Nothing is read before that: bytes that came between this look and the library's
 * own read would leave a later record to be looked at, and that begins otherwise. */
static ssize_t look(struct tls_conn *conn)
{
    unsigned char first;
    ssize_t got;

    if (conn->looked)
        return 1;
    got = recv(conn->fd, &first, 1, MSG_PEEK);
    if (got != 1)
        return got;
    if (first != FIRST_BYTE) {
        errno = ENOMSG;
        return -1;
    }
    conn->looked = true;
    return 1;
}

ssize_t tls_read(struct tls_conn *conn, void *bytes, size_t size)
{
    ssize_t seen = look(conn);
    int result, saved;

    if (seen != 1)
        return seen;
    ERR_clear_error();
    errno = 0;
    result = SSL_read(conn->ssl, bytes, size < INT_MAX ? (int)size : INT_MAX);
    saved = errno;
    return result > 0 ? result : ending(conn, result, saved);
}

ssize_t tls_write(struct tls_conn *conn, const void *bytes, size_t size)
{
    int result, saved;

    ERR_clear_error();
    errno = 0;
    result = SSL_write(conn->ssl, bytes, size < INT_MAX ? (int)size : INT_MAX);
    saved = errno;
    if (result > 0)
        return result;
    result = (int)ending(conn, result, saved);
    if (result == 0)
        errno = EPIPE;
    return -1;
}

void tls_end(struct tls_conn *conn)
{
    if (SSL_is_init_finished(conn->ssl))
        SSL_shutdown(conn->ssl);
    ERR_clear_error();
}

bool tls_is_open(const struct tls_conn *conn)
{
    return SSL_is_init_finished(conn->ssl);
}

bool tls_greet(struct tls_conn *conn, char name[TLS_NAME_MAX])
{
    X509 *certificate;

    if (conn->greeted || !SSL_is_init_finished(conn->ssl))
        return false;
    conn->greeted = true;
    name[0] = '\0';
    certificate = SSL_get0_peer_certificate(conn->ssl);
    if (certificate != NULL && X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                                                         NID_commonName, name, TLS_NAME_MAX) <= 0)
        name[0] = '\0';
    return true;
}
