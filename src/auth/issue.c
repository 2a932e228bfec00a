#include "auth/issue.h"

#include "auth/keys.h"
#include "auth/verify.h"

#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <string.h>

DEFINE_CLEANUP(json_t, json_cleanup, json_decref)
DEFINE_CLEANUP(jwt_t, jwt_cleanup, jwt_free)

static bool request_is_fine(const struct token_request *request) {
        const size_t secret_size = request->secret ? strlen(request->secret) : 0;
        const size_t subject_size = request->subject ? strlen(request->subject) : 0;

        if (secret_size < TOKEN_SECRET_SIZE_MIN || secret_size > TOKEN_SECRET_SIZE_MAX)
                return false;
        if (subject_size < 1 || subject_size > TOKEN_SUBJECT_SIZE_MAX)
                return false;
        return request->ttl_s >= 1 && request->ttl_s <= TOKEN_TTL_S_MAX;
}

static int locations_add(jwt_t *jwt, const struct token_request *request) {
        _cleanup_(json_cleanup) json_t *claims = json_object();
        _cleanup_free_ char *text = NULL;
        json_t *list = json_array();

        if (json_object_set_new(claims, "locations", list) < 0)
                return ENOMEM;
        for (size_t i = 0; i < request->n_locations; i++)
                if (json_array_append_new(list, json_string(request->locations[i])) < 0)
                        return EINVAL;
        text = json_dumps(claims, JSON_COMPACT);
        return text ? jwt_add_grants_json(jwt, text) : ENOMEM;
}

static int times_add(jwt_t *jwt, const struct token_request *request) {
        const int64_t issued_at_s = request->issued_at / SECOND;
        int error;

        error = jwt_add_grant_int(jwt, "iat", issued_at_s);
        if (error)
                return error;
        return jwt_add_grant_int(jwt, "exp", issued_at_s + request->ttl_s);
}

static int claims_add(jwt_t *jwt, const struct token_request *request) {
        const struct {
                const char *name, *value;
        } claims[] = {
                { "aud", request->audience },
                { "channel", request->channel },
                { "iss", request->issuer },
                { "scope", request->scope },
                { "sub", request->subject },
        };
        int error;

        for (size_t i = 0; i < array_size(claims); i++) {
                if (!claims[i].value || !*claims[i].value)
                        continue;
                error = jwt_add_grant(jwt, claims[i].name, claims[i].value);
                if (error)
                        return error;
        }
        error = times_add(jwt, request);
        if (error || !request->has_locations)
                return error;
        return locations_add(jwt, request);
}

static int jwt_make(const struct token_request *request, jwt_t **ret_jwt) {
        _cleanup_(jwt_cleanup) jwt_t *jwt = NULL;
        int error;

        error = jwt_new(&jwt);
        if (error)
                return error;
        error = claims_add(jwt, request);
        if (error)
                return error;
        error = jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *) request->secret, (int) strlen(request->secret));
        if (error)
                return error;
        *ret_jwt = take(jwt);
        return 0;
}

enum problem token_issue(const struct token_request *request, char **ret_token) {
        _cleanup_(jwt_cleanup) jwt_t *jwt = NULL;
        _cleanup_free_ char *token = NULL;
        int error;

        if (!request_is_fine(request))
                return PROBLEM_VALIDATION_FAILED;
        error = jwt_make(request, &jwt);
        if (error)
                return error == ENOMEM ? PROBLEM_INTERNAL : PROBLEM_VALIDATION_FAILED;
        token = jwt_encode_str(jwt);
        if (!token)
                return PROBLEM_INTERNAL;
        if (strlen(token) > TOKEN_SIZE_MAX)
                return PROBLEM_VALIDATION_FAILED;
        *ret_token = take(token);
        return PROBLEM_NONE;
}
