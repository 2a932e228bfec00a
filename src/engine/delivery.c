#include "engine/delivery.h"

#include "base/text.h"
#include "engine/transfers.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTPS_PORT       443
#define OTHER_HTTPS_PORT 8443
#define CONNECTIONS_KEPT 256L

DEFINE_CLEANUP(CURLU, url_cleanup, curl_url_cleanup)

static void curl_text_cleanup(char **text) {
        curl_free(*text);
}

/* ---- addresses ---- */

static bool port_is_open(unsigned port) {
        return port == HTTPS_PORT || port == OTHER_HTTPS_PORT;
}

bool delivery_address_allowed(const struct sockaddr *address, bool encrypted, const struct networks *allowed) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *) (const void *) address;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) (const void *) address;
        struct address named;
        bool is_public;

        if (address->sa_family == AF_INET) {
                named = address_of_ipv4((const uint8_t *) &v4->sin_addr);
                is_public =
                        address_is_public_ipv4((const uint8_t *) &v4->sin_addr) && port_is_open(ntohs(v4->sin_port));
        } else if (address->sa_family == AF_INET6) {
                named = address_of_ipv6(v6->sin6_addr.s6_addr);
                is_public = address_is_public_ipv6(v6->sin6_addr.s6_addr) && port_is_open(ntohs(v6->sin6_port));
        } else {
                return false;
        }
        return networks_contain(allowed, &named) || (is_public && encrypted);
}

/* The host of a URL as an address, brackets taken away. */
static bool host_address(const char *host, struct address *ret_address, bool *ret_public) {
        const size_t size = strlen(host);
        const bool is_ipv6 = host[0] == '[';

        if (!address_parse(host + is_ipv6, is_ipv6 && size > 1 ? size - 2 : size, ret_address))
                return false;
        *ret_public = is_ipv6 ? address_is_public_ipv6(ret_address->bytes)
                              : address_is_public_ipv4(ret_address->bytes + ADDRESS_SIZE - 4);
        return true;
}

static bool is_localhost(const char *host) {
        static const char local[] = "localhost";
        size_t size = strlen(host);

        size -= size && host[size - 1] == '.';
        if (size < sizeof(local) - 1 || strncasecmp(host + size - (sizeof(local) - 1), local, sizeof(local) - 1) != 0)
                return false;
        return size == sizeof(local) - 1 || host[size - sizeof(local)] == '.';
}

static bool loopback_is_allowed(const struct networks *allowed) {
        const struct address v4 = address_of_ipv4((const uint8_t[]){ 127, 0, 0, 1 }),
                             v6 = address_of_ipv6((const uint8_t[ADDRESS_SIZE]){ [ADDRESS_SIZE - 1] = 1 });

        return networks_contain(allowed, &v4) || networks_contain(allowed, &v6);
}

/* `inside`: the host may turn out to be in an allowed network. */
static const char *host_fault(const char *host, const struct networks *allowed, bool *ret_inside) {
        struct address address;
        bool is_public = false;

        *ret_inside = allowed->n > 0;
        if (is_localhost(host)) {
                *ret_inside = loopback_is_allowed(allowed);
                return *ret_inside ? NULL : "names this machine";
        }
        if (!host_address(host, &address, &is_public))
                return host[0] == '[' ? "names an address with a zone" : NULL;
        *ret_inside = networks_contain(allowed, &address);
        return *ret_inside || is_public ? NULL : "names an address that is not public";
}

static const char *parts_fault(CURLU *parsed, const struct networks *allowed) {
        _cleanup_(curl_text_cleanup) char *scheme = NULL;
        _cleanup_(curl_text_cleanup) char *host = NULL;
        _cleanup_(curl_text_cleanup) char *user = NULL;
        _cleanup_(curl_text_cleanup) char *port = NULL;
        int64_t number = 0;
        bool inside = false;
        const char *fault;

        if (curl_url_get(parsed, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
                return "has a user name or password";
        if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(parsed, CURLUPART_HOST, &host, 0) ||
                curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
                !text_to_integer(port, 1, UINT16_MAX, &number))
                return "has another scheme than https";
        if (!text_equal(scheme, "https") && !text_equal(scheme, "http"))
                return "has another scheme than https";
        fault = host_fault(host, allowed, &inside);
        if (fault || inside)
                return fault;
        if (!text_equal(scheme, "https"))
                return "has another scheme than https";
        return port_is_open((unsigned) number) ? NULL : "has another port than 443 and 8443";
}

/* libcurl repairs what has one slash or three. */
static bool has_authority(const char *url) {
        const char *behind = text_starts_with(url, "https://")  ? url + strlen("https://")
                             : text_starts_with(url, "http://") ? url + strlen("http://")
                                                                : "";

        return *behind && *behind != '/';
}

enum url_fault delivery_url_check(const char *url, const struct networks *allowed, const char **ret_reason) {
        _cleanup_(url_cleanup) CURLU *parsed = curl_url();

        *ret_reason = "is malformed";
        if (!parsed || !has_authority(url) || strchr(url, '#') || strlen(url) > URL_SIZE_MAX ||
                curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
                return URL_MALFORMED;
        *ret_reason = parts_fault(parsed, allowed);
        return *ret_reason ? URL_REFUSED : URL_FINE;
}

/* ---- one request ---- */

struct request {
        struct transfer transfer; /* the first member; its list: headers */
        struct sender *sender;
        timestamp begun; /* clock_monotonic */
        bool encrypted, refused;
        size_t read; /* bytes of the answer */
        size_t kept;
        char answer[SEND_ANSWER_KEPT];
};

struct sender {
        struct transfers transfers;
        const struct networks *allowed;
};

/* Called by libcurl in place of socket(2), with the address that it will connect to. */
static curl_socket_t socket_open(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
        struct request *request = context;

        if (purpose != CURLSOCKTYPE_IPCXN ||
                !delivery_address_allowed(&address->addr, request->encrypted, request->sender->allowed)) {
                request->refused = true;
                return CURL_SOCKET_BAD;
        }
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Called by libcurl; anything but `size * n` ends the transfer. */
static size_t answer_take(char *bytes, size_t size, size_t n, void *context) {
        struct request *request = context;
        const size_t total = size * n, left = SEND_ANSWER_KEPT - request->kept;

        memcpy(request->answer + request->kept, bytes, total < left ? total : left);
        request->kept += total < left ? total : left;
        request->read += total;
        return request->read > SEND_ANSWER_MAX ? 0 : total;
}

static bool set_failed(CURLcode code) {
        return code != CURLE_OK;
}

static bool request_limits_set(struct request *request) {
        CURL *curl = request->transfer.curl;

        return !(set_failed(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https")) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_PROXY, "")) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_NOPROXY, "*")) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, socket_open)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, request)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_WRITEDATA, request)) ||
                 set_failed(curl_easy_setopt(
                         curl, CURLOPT_CONNECTTIMEOUT_MS, (long) (SEND_CONNECT_TIME_MAX / MILLISECOND))) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (SEND_TIME_MAX / MILLISECOND))));
}

static bool request_content_set(struct request *request, const char *url, const char *body, size_t size) {
        CURL *curl = request->transfer.curl;

        return !(set_failed(curl_easy_setopt(curl, CURLOPT_URL, url)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->transfer.list)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_USERAGENT, "holdfast")) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_POST, 1L)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size)) ||
                 set_failed(curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body)));
}

/* "Expect:" without a value keeps libcurl from asking for a 100 first. */
static bool request_headers_add(struct request *request, const char *const *headers, size_t n) {
        struct curl_slist *list = curl_slist_append(NULL, "Expect:");

        for (size_t i = 0; list && i < n; i++) {
                struct curl_slist *longer = curl_slist_append(list, headers[i]);

                request->transfer.list = list;
                if (!longer)
                        return false;
                list = longer;
        }
        request->transfer.list = list;
        return list != NULL;
}

bool sender_send(struct sender *sender, const char *url, const char *const *headers, size_t n_headers, const char *body,
        size_t body_size, void *context) {
        struct request *request = sender->transfers.n < SENDS_MAX ? calloc(1, sizeof(*request)) : NULL;

        if (!request)
                return false;
        request->sender = sender;
        request->begun = clock_monotonic();
        request->encrypted = text_starts_with(url, "https:");
        if (!transfer_init(&request->transfer, &sender->transfers, context) ||
                !request_headers_add(request, headers, n_headers) || !request_limits_set(request) ||
                !request_content_set(request, url, body, body_size) || !transfer_start(&request->transfer)) {
                transfer_free(&request->transfer);
                return false;
        }
        return true;
}

/* ---- many ---- */

struct sender *sender_new(const struct networks *allowed) {
        struct sender *sender = calloc(1, sizeof(*sender));

        if (!sender)
                return NULL;
        sender->allowed = allowed;
        return transfers_begin(&sender->transfers, CONNECTIONS_KEPT) ? sender : sender_free(sender);
}

struct sender *sender_free(struct sender *sender) {
        if (!sender)
                return NULL;
        transfers_end(&sender->transfers);
        free(sender);
        return NULL;
}

void sender_drop(struct sender *sender, void (*dropped)(void *context)) {
        while (sender->transfers.first) {
                dropped(sender->transfers.first->context);
                transfer_free(sender->transfers.first);
        }
}

size_t sender_busy(const struct sender *sender) {
        return sender->transfers.n;
}

/* Static text without names, so that it can be logged and shown. */
static const char *reason_of(const struct request *request, CURLcode code) {
        if (request->refused)
                return "the address is not allowed";
        switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
                return "the name has no address";
        case CURLE_COULDNT_CONNECT:
                return "the connection was refused";
        case CURLE_OPERATION_TIMEDOUT:
                return "no answer in time";
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
                return "the certificate is not valid";
        case CURLE_SSL_CONNECT_ERROR:
                return "there is no TLS connection";
        default:
                return "the connection was lost";
        }
}

/* An answer that is longer than is read counts by its status. */
static void request_end(struct request *request, CURLcode code, struct sent *ret_sent) {
        curl_off_t retry_after_s = 0;
        long status = 0;

        *ret_sent = (struct sent){ .context = request->transfer.context,
                .took = clock_monotonic() - request->begun,
                .answer = request->answer,
                .answer_size = request->kept };
        if (code != CURLE_OK && request->read <= SEND_ANSWER_MAX) {
                ret_sent->reason = reason_of(request, code);
                return;
        }
        (void) curl_easy_getinfo(request->transfer.curl, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(request->transfer.curl, CURLINFO_RETRY_AFTER, &retry_after_s);
        ret_sent->status = (unsigned) status;
        if (retry_after_s > 0)
                ret_sent->retry_after =
                        retry_after_s < SEND_RETRY_AFTER_MAX / SECOND ? retry_after_s * SECOND : SEND_RETRY_AFTER_MAX;
}

struct listener {
        void (*answered)(void *context, const struct sent *sent);
        void *context;
};

static void request_ended(struct transfer *transfer, CURLcode code, void *context) {
        const struct listener *listener = context;
        struct sent sent;

        request_end((struct request *) transfer, code, &sent);
        listener->answered(listener->context, &sent);
}

void sender_turn(
        struct sender *sender, duration wait, void (*answered)(void *context, const struct sent *sent), void *context) {
        struct listener listener = { answered, context };

        transfers_turn(&sender->transfers, wait, request_ended, &listener);
}

void sender_wake(struct sender *sender) {
        transfers_wake(&sender->transfers);
}
