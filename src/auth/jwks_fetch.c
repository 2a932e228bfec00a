#include "auth/jwks_fetch.h"

#include "auth/jwks.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HTTP_OK 200

DEFINE_CLEANUP(CURL, curl_cleanup, curl_easy_cleanup)
DEFINE_CLEANUP(struct curl_slist, curl_list_cleanup, curl_slist_free_all)

static void descriptor_cleanup(int *descriptor) {
        if (*descriptor >= 0)
                (void) close(*descriptor);
}

struct token_file_mark token_file_mark(const char *path) {
        struct stat status;

        if (stat(path, &status) < 0)
                return (struct token_file_mark){ 0 };
        return (struct token_file_mark){
                .device = status.st_dev,
                .inode = status.st_ino,
                .size = status.st_size,
                .modified = status.st_mtim,
                .changed = status.st_ctim,
        };
}

static bool instants_equal(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool token_file_mark_equal(const struct token_file_mark *a, const struct token_file_mark *b) {
        return a->device == b->device && a->inode == b->inode && a->size == b->size &&
               instants_equal(&a->modified, &b->modified) && instants_equal(&a->changed, &b->changed);
}

/* Room for one byte more than allowed, so that a larger document is noticed. */
static bool document_prepare(struct token_document *document, const char **ret_reason) {
        *document = (struct token_document){ .bytes = malloc(JWKS_SIZE_MAX + 1) };
        if (!document->bytes)
                *ret_reason = "there is no memory for the document";
        return document->bytes;
}

/* Not blocking, so that a named pipe in place of the file does not block the thread. */
static int file_open(const char *path, const char **ret_reason) {
        const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;

        if (descriptor < 0) {
                *ret_reason = "the file cannot be opened";
                return -1;
        }
        if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode)) {
                (void) close(descriptor);
                *ret_reason = "the file is not a regular file";
                return -1;
        }
        return descriptor;
}

static bool file_drain(int descriptor, struct token_document *document, const char **ret_reason) {
        for (;;) {
                const ssize_t size =
                        read(descriptor, document->bytes + document->size, JWKS_SIZE_MAX + 1 - document->size);

                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0) {
                        *ret_reason = "the file cannot be read";
                        return false;
                }
                if (size == 0)
                        return true;
                document->size += (size_t) size;
                if (document->size > JWKS_SIZE_MAX) {
                        *ret_reason = "the file is larger than 1 MiB";
                        return false;
                }
        }
}

bool token_document_read(const char *path, struct token_document *ret_document, const char **ret_reason) {
        _cleanup_(token_document_clear) struct token_document document = { 0 };
        _cleanup_(descriptor_cleanup) int descriptor = file_open(path, ret_reason);

        if (descriptor < 0 || !document_prepare(&document, ret_reason))
                return false;
        if (!file_drain(descriptor, &document, ret_reason))
                return false;
        *ret_document = document;
        document = (struct token_document){ 0 };
        return true;
}

/* Called by libcurl; anything but `size * n` breaks the transfer off. */
static size_t bytes_take(char *bytes, size_t size, size_t n, void *context) {
        struct token_document *document = context;
        const size_t total = size * n;

        if (total > JWKS_SIZE_MAX - document->size)
                return 0;
        memcpy(document->bytes + document->size, bytes, total);
        document->size += total;
        return total;
}

/* Called by libcurl at least once a second; anything but 0 breaks the transfer off. */
static int progress_check(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
        (void) down_total;
        (void) down;
        (void) up_total;
        (void) up;
        return atomic_load((const atomic_bool *) context);
}

static bool option_failed(CURLcode code) {
        return code != CURLE_OK;
}

/* No redirect is followed: the answering server could choose another host or protocol. */
static bool limits_set(CURL *curl) {
        return !(option_failed(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https")) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) JWKS_SIZE_MAX)) ||
                 option_failed(curl_easy_setopt(
                         curl, CURLOPT_CONNECTTIMEOUT_MS, (long) (TOKEN_FETCH_CONNECT_TIMEOUT / MILLISECOND))) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (TOKEN_FETCH_TIMEOUT / MILLISECOND))));
}

static bool request_set(CURL *curl, const char *url, struct curl_slist *headers, struct token_document *document,
        const atomic_bool *abandon) {
        return !(option_failed(curl_easy_setopt(curl, CURLOPT_URL, url)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_USERAGENT, "holdfast")) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, bytes_take)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_WRITEDATA, document)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress_check)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_XFERINFODATA, abandon)) ||
                 option_failed(curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L)));
}

static bool transfer(CURL *curl, const char **ret_reason) {
        long status = 0;
        CURLcode code;

        code = curl_easy_perform(curl);
        if (code != CURLE_OK) {
                *ret_reason = code == CURLE_WRITE_ERROR ? "the answer is larger than 1 MiB" : curl_easy_strerror(code);
                return false;
        }
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK || status != HTTP_OK) {
                *ret_reason = "the answer has another status than 200";
                return false;
        }
        return true;
}

bool token_document_fetch(
        const char *url, const atomic_bool *abandon, struct token_document *ret_document, const char **ret_reason) {
        _cleanup_(token_document_clear) struct token_document document = { 0 };
        _cleanup_(curl_list_cleanup) struct curl_slist *headers =
                curl_slist_append(NULL, "Accept: application/jwk-set+json, application/json");
        _cleanup_(curl_cleanup) CURL *curl = curl_easy_init();

        if (!document_prepare(&document, ret_reason))
                return false;
        if (!curl || !headers || !limits_set(curl) || !request_set(curl, url, headers, &document, abandon)) {
                *ret_reason = "the request cannot be prepared";
                return false;
        }
        if (!transfer(curl, ret_reason))
                return false;
        *ret_document = document;
        document = (struct token_document){ 0 };
        return true;
}
