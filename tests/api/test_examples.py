"""The examples of api/openapi: the service takes each request, and answers with the members of the reply's example."""

import pytest

from support.client import contract
from support.contract import examples_of, media_type, request_examples
from support.examples import Scene, differences, names_of
from support.holdfast import Holdfast

STREAM = "text/event-stream"


@pytest.fixture(scope="module")
def scene(new_database, work_directory, mails):
    """A separate instance, because the codes of the examples are the same in every test."""
    instance = Holdfast(new_database(), work_directory, "examples", smtp_url=mails.url).start()
    scene = Scene(instance)
    yield scene
    scene.close()
    instance.assert_audit_clean()
    instance.stop()


def requests():
    return [pytest.param(operation, example, id=f"{operation.name}-{number}") for operation in contract().operations
            for number, example in enumerate(request_examples(contract(), operation), start=1)]


def replies():
    """(operation, content type) of each success with a body, but for the stream, which does not end."""
    kinds = {(operation.name, kind): operation for operation in contract().operations
             for status, reply in operation.responses.items() if status[0] == "2"
             for kind in contract().deref(reply).get("content", {}) if kind != STREAM}
    return [pytest.param(operation, kind, id=f"{name}-{kind}") for (name, kind), operation in kinds.items()]


@pytest.mark.parametrize("operation, example", requests())
def test_the_service_accepts_every_example_of_a_request(scene, operation, example):
    scene.send(operation, example)


@pytest.mark.parametrize("operation, kind", replies())
def test_the_example_of_a_reply_has_the_members_of_a_real_one(scene, operation, kind):
    reply = scene.send(operation, next(iter(request_examples(contract(), operation)), None), kind)
    assert media_type(reply) == kind
    media = contract().deref(operation.responses[str(reply.status_code)])["content"][kind]
    examples = examples_of(contract(), media)
    assert examples, f"{operation.name} {reply.status_code} has no example"
    if kind.endswith("json"):
        found = list(differences(contract(), media["schema"], names_of(examples), names_of(reply.json())))
        assert not found, "\n".join(found)
    else:
        absent = [line for line in examples[0].splitlines() if line not in reply.text]
        assert not absent, f"the reply has no line {absent}"
