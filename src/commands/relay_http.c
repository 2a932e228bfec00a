/* The target `http` of holdfast relay: each batch is the body of a POST, and a 2xx takes it. */
#include "commands/relay.h"

#include "base/text.h"
#include "base/uuid.h"
#include "version.h"

#include <curl/curl.h>
#include <stdlib.h>

#define CONNECT_TIME_MAX  (5 * SECOND)
#define REQUEST_TIME_MAX  (30 * SECOND)
#define STOP_TIME_MAX     (5 * SECOND) /* of a running request, after a signal */
#define PAUSE_FIRST       SECOND
#define PAUSE_MAX         (60 * SECOND)
#define RETRY_AFTER_MAX_S (5 * 60) /* a longer Retry-After is cut */
#define ANSWER_MAX        ((size_t) 1024 * 1024)
#define IS_TAKEN(status)  ((status) >= 200 && (status) < 300)

DEFINE_CLEANUP(CURLU, curl_url_clean, curl_url_cleanup)
DEFINE_CLEANUP(char, curl_text_clean, curl_free)

struct relay_http {
        struct relay_http_settings settings;
        CURL *curl;
        struct curl_slist *headers;
        size_t answered;      /* bytes of the answer, which is not kept */
        timestamp stop_until; /* 0: no signal has arrived during this request */
};

const char *relay_url_fault(const char *url) {
        _cleanup_(curl_url_clean) CURLU *parts = curl_url();
        _cleanup_(curl_text_clean) char *scheme = NULL, *user = NULL;

        if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
                return "it is not an absolute URL";
        if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
                (!text_equal(scheme, "http") && !text_equal(scheme, "https")))
                return "its scheme is neither http nor https";
        if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
                return "it has credentials; set HOLDFAST_RELAY_AUTHORIZATION instead";
        return NULL;
}

/* ---- the request ---- */

/* Called by libcurl; anything but `size * n` breaks the transfer off. */
static size_t answer_drop(char *bytes, size_t size, size_t n, void *context) {
        struct relay_http *http = context;

        (void) bytes;
        http->answered += size * n;
        return http->answered > ANSWER_MAX ? 0 : size * n;
}

/* Called by libcurl at least once a second; anything but 0 breaks the transfer off. */
static int stop_check(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
        struct relay_http *http = context;

        (void) down_total;
        (void) down;
        (void) up_total;
        (void) up;
        if (!http->stop_until && relay_stop_asked())
                http->stop_until = clock_monotonic() + STOP_TIME_MAX;
        return http->stop_until && clock_monotonic() > http->stop_until;
}

static bool post_header_add(struct relay_http *http, const char *header) {
        struct curl_slist *longer = curl_slist_append(http->headers, header);

        if (longer)
                http->headers = longer;
        return longer;
}

static bool headers_make(struct relay_http *http) {
        char *authorization = NULL;
        bool made = post_header_add(http, "Content-Type: application/x-ndjson") && post_header_add(http, "Expect:");

        if (made && http->settings.authorization)
                made = asprintf(&authorization, "Authorization: %s", http->settings.authorization) > 0 &&
                       post_header_add(http, authorization);
        free(authorization);
        return made;
}

#define SET(option, value) (curl_easy_setopt(http->curl, (option), (value)) == CURLE_OK)

/* No redirect is followed: the answering server could choose another host or protocol. */
static bool options_set(struct relay_http *http) {
        return SET(CURLOPT_URL, http->settings.url) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
               SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_POST, 1L) &&
               SET(CURLOPT_HTTPHEADER, http->headers) && SET(CURLOPT_USERAGENT, "holdfast/" HOLDFAST_VERSION) &&
               SET(CURLOPT_CONNECTTIMEOUT_MS, (long) (CONNECT_TIME_MAX / MILLISECOND)) &&
               SET(CURLOPT_TIMEOUT_MS, (long) (REQUEST_TIME_MAX / MILLISECOND)) &&
               SET(CURLOPT_WRITEFUNCTION, answer_drop) && SET(CURLOPT_WRITEDATA, http) &&
               SET(CURLOPT_XFERINFOFUNCTION, stop_check) && SET(CURLOPT_XFERINFODATA, http) &&
               SET(CURLOPT_NOPROGRESS, 0L) &&
               (!http->settings.ca || (SET(CURLOPT_CAINFO, http->settings.ca) && SET(CURLOPT_CAPATH, NULL)));
}

struct relay_http *relay_http_new(const struct relay_http_settings *settings) {
        struct relay_http *http = calloc(1, sizeof(*http));

        if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                free(http);
                return NULL;
        }
        http->settings = *settings;
        http->curl = curl_easy_init();
        if (http->curl && headers_make(http) && options_set(http))
                return http;
        return relay_http_free(http);
}

struct relay_http *relay_http_free(struct relay_http *http) {
        if (!http)
                return NULL;
        curl_easy_cleanup(http->curl);
        curl_slist_free_all(http->headers);
        curl_global_cleanup();
        free(http);
        return NULL;
}

/* ---- attempts ---- */

/* One attempt. False leaves the reason, and the seconds of Retry-After or 0. */
static bool post_attempt(struct relay_http *http, const char *lines, size_t size, char reason[CURL_ERROR_SIZE],
        curl_off_t *ret_retry_after_s) {
        CURLcode code;
        long status = 0;

        *ret_retry_after_s = 0;
        http->answered = 0;
        http->stop_until = 0;
        if (!SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size) || !SET(CURLOPT_POSTFIELDS, lines))
                return false;
        code = curl_easy_perform(http->curl);
        (void) curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, ret_retry_after_s);
        if (code != CURLE_OK)
                (void) snprintf(reason, CURL_ERROR_SIZE, "failed: %s", curl_easy_strerror(code));
        else
                (void) snprintf(reason, CURL_ERROR_SIZE, "answered %ld", status);
        return code == CURLE_OK && IS_TAKEN(status);
}

/* The pause doubles, up to its limit; a random quarter keeps relays apart. */
static duration pause_after(int64_t n_attempts, curl_off_t retry_after_s) {
        const struct uuid random = uuid_random();
        duration time = PAUSE_FIRST;

        for (int64_t i = 1; i < n_attempts && time < PAUSE_MAX; i++)
                time *= 2;
        if (time > PAUSE_MAX)
                time = PAUSE_MAX;
        if (retry_after_s > RETRY_AFTER_MAX_S)
                retry_after_s = RETRY_AFTER_MAX_S;
        if (time < retry_after_s * SECOND)
                time = retry_after_s * SECOND;
        return time + time / 4 * random.bytes[0] / UINT8_MAX;
}

enum relay_outcome relay_http_send(struct relay_http *http, const char *lines, size_t size) {
        const int64_t most = http->settings.attempts;

        for (int64_t n = 1;; n++) {
                char reason[CURL_ERROR_SIZE] = "failed";
                curl_off_t retry_after_s;
                duration time;

                if (post_attempt(http, lines, size, reason, &retry_after_s))
                        return RELAY_SENT;
                if (relay_stop_asked())
                        return RELAY_STOPPED;
                if (n == most) {
                        relay_say("the target %s; given up after %lld attempts", reason, (long long) n);
                        return RELAY_GIVEN_UP;
                }
                time = pause_after(n, retry_after_s);
                relay_say("the target %s; attempt %lld follows in %.1f s", reason, (long long) n + 1,
                        (double) time / SECOND);
                (void) relay_wait(-1, 0, time);
                if (relay_stop_asked())
                        return RELAY_STOPPED;
        }
}
