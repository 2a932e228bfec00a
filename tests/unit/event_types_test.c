#include "events/events.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE_MAX 64

static const struct event_member *member_find(const char *name, size_t size) {
        for (size_t i = 0; i < event_data_member_count; i++)
                if (strlen(event_data_members[i].name) == size && !strncmp(event_data_members[i].name, name, size))
                        return &event_data_members[i];
        return NULL;
}

/* Each name of the list is a member, and the names are sorted. Returns their number. */
static size_t assert_members(const char *type, const char *list) {
        char before[NAME_SIZE_MAX] = "", name[NAME_SIZE_MAX];
        size_t n = 0;

        for (const char *at = list; *at; n++) {
                const size_t size = strcspn(at, " ");

                cr_assert_not_null(member_find(at, size), "%s: unknown member in '%s'", type, list);
                (void) snprintf(name, sizeof(name), "%.*s", (int) size, at);
                cr_assert_lt(strcmp(before, name), 0, "%s: '%s' is not sorted", type, list);
                (void) snprintf(before, sizeof(before), "%s", name);
                at += size + (at[size] == ' ');
        }
        return n;
}

Test(event_types, are_sorted_by_name) {
        for (size_t i = 1; i < EVENT_TYPE_COUNT; i++)
                cr_expect_lt(strcmp(event_types[i - 1].name, event_types[i].name), 0, "%s", event_types[i].name);
}

Test(event_types, have_a_dotted_name_and_a_meaning) {
        for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
                const char *name = event_types[i].name, *dot = strchr(name, '.');

                cr_expect(dot && !strchr(dot + 1, '.'), "%s", name);
                cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_."), strlen(name), "%s", name);
                cr_expect(*event_types[i].meaning, "%s", name);
        }
}

Test(event_types, have_known_members) {
        for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
                (void) assert_members(event_types[i].name, event_types[i].members);
                (void) assert_members(event_types[i].name, event_types[i].kept);
        }
}

static bool list_has(const char *list, const char *name) {
        const size_t size = strlen(name);

        for (const char *at = list; *at; at += strcspn(at, " ") + (strchr(at, ' ') != NULL))
                if (strcspn(at, " ") == size && !strncmp(at, name, size))
                        return true;
        return false;
}

Test(event_types, use_every_member) {
        for (size_t i = 0; i < event_data_member_count; i++) {
                size_t n = 0;

                for (size_t j = 0; j < EVENT_TYPE_COUNT; j++)
                        n += list_has(event_types[j].members, event_data_members[i].name) ||
                             list_has(event_types[j].kept, event_data_members[i].name);
                cr_expect_gt(n, 0, "no type has %s", event_data_members[i].name);
                cr_expect(!i || strcmp(event_data_members[i - 1].name, event_data_members[i].name) < 0,
                        "%s is not sorted", event_data_members[i].name);
        }
}

/* Names of people and free text. */
Test(event_types, show_no_personal_member_to_every_reader) {
        static const char *const personal[] = { "after", "assignee", "before", "overridden_by", "reference" };

        for (size_t i = 0; i < EVENT_TYPE_COUNT; i++)
                for (size_t j = 0; j < array_size(personal); j++)
                        cr_expect_not(list_has(event_types[i].members, personal[j]), "%s: %s", event_types[i].name,
                                personal[j]);
}

Test(event_types, of_one_subject_stay_together_with_its_kind) {
        cr_assert_eq(event_types[EVENT_ORDER_CREATED].subject, SUBJECT_ORDER);
        cr_assert_eq(event_types[EVENT_PICKUP_REMINDER].subject, SUBJECT_FULFILLMENT);
        cr_assert_eq(event_types[EVENT_RETURN_LOST].subject, SUBJECT_RETURN);
        cr_assert_null(subject_kinds[SUBJECT_KIND_COUNT]);
}
