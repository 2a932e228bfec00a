"""Many operators change the same notification template at two instances."""

from collections import Counter

from support.crowd import rush, shoppers

PATH = "/v1/notification-templates/ready/sms/en"
OPERATORS = 120


def test_a_template_that_many_put_and_delete_is_whole_afterwards(pair, database, token):
    people = shoppers(OPERATORS, *pair, token=token)

    def change(person, i):
        if i % 3 == 2:
            return person.ask("DELETE", PATH)
        return person.ask("PUT", PATH, {"text": f"Text {i}: {{{{order.order_number}}}}"})

    replies = rush(people, change)
    counted = Counter(reply.status for reply in replies)
    assert set(counted) <= {200, 201, 404}, counted

    created, deleted = counted[201], sum(reply.status == 200 and i % 3 == 2 for i, reply in enumerate(replies))
    rows = database.rows("select text, version from notification_templates where (kind, medium, locale) = ('ready', 'sms', 'en')")
    assert created - deleted == len(rows) and len(rows) <= 1
    shown = pair[1].client().get(PATH, expect=200).json()
    assert shown["is_default"] == (not rows)
    if rows:
        assert (shown["text"], shown["version"]) == (rows[0]["text"], rows[0]["version"])
        pair[0].client().delete(PATH, expect=200)
