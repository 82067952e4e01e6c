"""Events: their names, and that a custom one needs neither decorator nor defaults."""

import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from handlers import events
from handlers.events import BUILT_IN_EVENTS, BaseEvent, ContentEvent, StatusEvent, ToolCallEvent, wire_name


class BareEvent(BaseEvent):
    score: float
    labels: list[str] = field(default_factory=list)


@dataclass
class DecoratedEvent(BaseEvent):
    analysis_type: str
    confidence_score: float
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class KeywordEvent(BaseEvent):
    score: float


class HTTPProbeEvent(BaseEvent):
    pass


class FineTunedEvent(BareEvent):
    name: str = "none"


def test_the_built_in_events_have_the_documented_names() -> None:
    assert [wire_name(event) for event in BUILT_IN_EVENTS] == [
        "response_start",
        "status",
        "content",
        "reasoning",
        "image",
        "tool_call",
        "tool_return",
        "document",
        "citation",
        "metadata",
        "error",
        "response_end",
    ]


def test_an_event_needs_only_what_has_no_default() -> None:
    event = ContentEvent(content="Hello")
    assert (event.response_id, event.sequence, event.emit, event.persist) == ("", None, True, True)


def test_an_event_without_a_required_field_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="content"):
        ContentEvent()  # type: ignore[call-arg]


def test_events_take_no_positional_values() -> None:
    with pytest.raises(TypeError):
        ContentEvent("Hello")  # type: ignore[call-arg, misc]


def test_a_tool_call_makes_an_id_of_its_own() -> None:
    first, second = ToolCallEvent(tool_name="search"), ToolCallEvent(tool_name="search")
    assert first.tool_id
    assert first.tool_id != second.tool_id


@pytest.mark.parametrize(
    ("event_class", "name"),
    [
        (BareEvent, "bare"),
        (DecoratedEvent, "decorated"),
        (HTTPProbeEvent, "http_probe"),
        (FineTunedEvent, "fine_tuned"),
    ],
)
def test_a_custom_event_is_named_after_its_class(event_class: type[BaseEvent], name: str) -> None:
    assert wire_name(event_class) == name


def test_a_subclass_of_a_built_in_event_is_an_event_of_its_own() -> None:
    class LoudStatusEvent(StatusEvent):
        volume: int = 11

    event = LoudStatusEvent(message="Now", volume=12)
    assert (wire_name(LoudStatusEvent), event.message, event.volume) == ("loud_status", "Now", 12)


def test_a_class_without_a_decorator_has_its_fields_and_their_defaults() -> None:
    one, two = BareEvent(score=0.5), BareEvent(score=0.7)
    one.labels.append("x")
    assert (one.score, one.labels, two.labels, one.emit) == (0.5, ["x"], [], True)


def test_a_class_without_a_decorator_refuses_unknown_fields() -> None:
    with pytest.raises(TypeError, match="colour"):
        BareEvent(score=1, colour="red")  # type: ignore[call-arg]


def test_a_bare_dataclass_decorator_works_and_keeps_default_factories() -> None:
    one = DecoratedEvent(analysis_type="sentiment", confidence_score=0.92, response_id="r", sequence=1)
    assert (one.details, one.sequence) == ({}, 1)
    assert DecoratedEvent(analysis_type="a", confidence_score=1).details is not one.details


def test_the_keyword_only_decorator_works() -> None:
    assert KeywordEvent(score=1.0, persist=False).persist is False


def test_a_decorated_class_below_an_undecorated_one_has_the_fields_of_both() -> None:
    class UpperEvent(BaseEvent):
        upper: int

    @dataclass
    class LowerEvent(UpperEvent):
        lower: int

    event = LowerEvent(upper=1, lower=2)
    assert (event.upper, event.lower) == (1, 2)


def test_an_undecorated_class_below_an_undecorated_one_has_the_fields_of_both() -> None:
    assert FineTunedEvent(score=1, name="n").labels == []


@pytest.mark.parametrize("decorate", [dataclass, lambda cls: cls])
def test_a_flag_overridden_without_annotation_holds(decorate: Any) -> None:
    class AuditEvent(BaseEvent):
        emit = False
        note: str = ""

    assert decorate(AuditEvent)(note="seen").emit is False


def test_a_type_set_in_the_class_is_the_wire_name() -> None:
    class NamedEvent(BaseEvent):
        type = "progress.report"

    class AnnotatedEvent(BaseEvent):
        type: ClassVar[str] = "annotated-report"

    assert (wire_name(NamedEvent), wire_name(AnnotatedEvent)) == ("progress.report", "annotated-report")


@pytest.mark.parametrize("taken", ["content", "response_end", "run_error"])
def test_a_built_in_wire_name_is_refused(taken: str) -> None:
    with pytest.raises(TypeError, match=taken):
        type("Event", (BaseEvent,), {"type": taken})


def test_a_class_named_like_a_built_in_event_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Rename the class, or set `type"):
        type("ContentEvent", (BaseEvent,), {})


@pytest.mark.parametrize("bad", ["", "two words", "line\nbreak", "9lives", "x" * 65, "höhe"])
def test_an_impossible_wire_name_is_refused(bad: str) -> None:
    with pytest.raises(TypeError, match="wire name"):
        type("OddEvent", (BaseEvent,), {"type": bad})


def test_a_mixin_may_stand_beside_an_event() -> None:
    class Mixin:
        def shout(self) -> str:
            return "!"

    class MixedEvent(Mixin, BaseEvent):
        text: str

    assert MixedEvent(text="a").shout() == "!"


def test_threads_that_make_the_first_event_together_all_get_a_whole_one() -> None:
    for number in range(30):
        fresh: Any = type(
            f"Race{number}Event",
            (BaseEvent,),
            {"__annotations__": {"items": list}, "items": field(default_factory=list)},
        )
        made: list[Any] = []
        barrier = threading.Barrier(8)

        def make(fresh: Any = fresh, made: list[Any] = made, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            made.append(fresh())

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [event.items for event in made] == [[]] * 8


def test_every_event_class_of_the_module_is_listed() -> None:
    classes = {
        value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, BaseEvent) and value is not BaseEvent
    }
    assert classes == set(BUILT_IN_EVENTS)
