"""Metrics: what stands around the numbers, which tests/traceql has."""

from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.errors import QueryTooBroad, Rejected
from spandrel.query import metrics_aggregates, metrics_comparison, metrics_counting, metrics_spans
from spandrel.query.metrics import Answer, metrics
from spandrel.query.metrics_copies import crowded
from spandrel.query.metrics_series import Exemplar, Points
from spandrel.query.tag_values import tag_values
from spandrel.traceql.checking import check
from spandrel.traceql.expressions import Literal
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.parser import parse
from tests.archive import Archive
from tests.builders import RECEIVED_NS, block, key_value, request_of, span

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
START_NS = RECEIVED_NS - 2 * MINUTE_NS


def asked(
    archive: Archive, query: str, step_ns: int | None = MINUTE_NS, exemplars: int = 0, minutes: int = 2
) -> Answer:
    found = check(parse(query))
    return metrics(archive.reading(), found, START_NS, START_NS + minutes * MINUTE_NS, step_ns, exemplars)


def points(archive: Archive, query: str, step_ns: int | None = MINUTE_NS) -> Points:
    """Those of the only series."""
    (series,) = asked(archive, query, step_ns).series.values()
    return series.points


def text(value: str) -> Literal:
    return Literal(ValueType.TEXT, value)


def at(name: str, after_ns: int, **other: object) -> Span:
    return span(name, start_ns=START_NS + after_ns, **other)  # type: ignore[arg-type]


def test_steps_are_half_open(archive: Archive) -> None:
    archive.add(request_of(*(at(str(ns), ns) for ns in (-1, 0, MINUTE_NS - 1, MINUTE_NS, 2 * MINUTE_NS))))
    assert points(archive, "{ } | count_over_time()") == [2, 1]


def test_without_a_step_the_whole_range_is_one(archive: Archive) -> None:
    archive.add(request_of(at("a", 0), at("b", MINUTE_NS)))
    assert points(archive, "{ } | count_over_time()", None) == [2]
    assert points(archive, "{ } | rate()", None) == [2 / 120]


def test_a_last_step_that_is_cut_counts_what_is_in_the_range(archive: Archive) -> None:
    archive.add(request_of(at("a", 0), at("b", 2 * MINUTE_NS - 1), at("c", 2 * MINUTE_NS)))
    assert points(archive, "{ } | count_over_time()", 90 * SECOND_NS) == [1, 1]


def test_where_there_are_no_blocks_there_is_the_series_of_a_count_and_no_other(archive: Archive) -> None:
    assert points(archive, "{ } | rate()") == [0, 0]
    assert asked(archive, "{ } | rate() by (name)").series == {}
    assert asked(archive, "{ } | quantile_over_time(duration, .5)").series == {}


def test_a_span_counts_by_the_copy_that_lasts_longest(archive: Archive) -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR)
    archive.add(request_of(at("a", 0, duration_ns=1, status=failed)))
    assert points(archive, "{ status = error } | count_over_time()") == [1, 0]
    archive.add(request_of(at("a", 0, duration_ns=2)))
    assert points(archive, "{ status = error } | count_over_time()") == [0, 0]
    assert points(archive, "{ } | count_over_time()") == [1, 0]


def test_a_span_that_was_merged_already_and_comes_again_counts_once(archive: Archive) -> None:
    archive.add(request_of(at("a", 0), at("b", 0)))
    archive.add(request_of(at("c", 1)))
    archive.merge()
    archive.add(request_of(at("a", 0)))
    assert points(archive, "{ } | count_over_time()") == [3, 0]
    archive.merge()
    assert points(archive, "{ } | count_over_time()") == [3, 0]


def test_copies_in_two_merged_blocks_count_once(archive: Archive) -> None:
    archive.add(request_of(at("a", 0), at("b", 0)))
    archive.merge()
    merged = dict(archive.catalogue.kept)
    archive.catalogue.kept.clear()
    archive.add(request_of(at("a", 0), at("c", 1)))
    archive.merge()
    archive.catalogue.kept.update(merged)
    assert points(archive, "{ } | count_over_time()") == [3, 0]


def test_only_where_copies_can_be_are_they_looked_for() -> None:
    low, high = {"max_trace_id": b"\x7f" * 16}, {"min_trace_id": b"\x80" * 16}
    blocks = [
        block("a", 0, 100, level=1, **low),
        block("b", 50, 150, level=2, **low),
        block("c", 0, 150, level=1, **high),
        block("d", 300, 400, level=0),
        block("e", 390, 500, level=99),
        block("f", 600, 700, level=1),
    ]
    assert crowded(blocks) == [(50, 100), (300, 500)]


def test_very_many_places_for_copies_are_one(archive: Archive) -> None:
    for number in range(40):
        archive.add(request_of(at("again", 0), at(f"{number}", number * SECOND_NS)))
    assert points(archive, "{ } | count_over_time()") == [41, 0]


def test_exemplars_are_the_longest_spans_of_counts_and_the_largest_numbers_of_others(archive: Archive) -> None:
    spans = [at(str(ms), ms, duration_ns=ms * 10**6, attributes={"n": -ms}) for ms in (1, 2, 3)]
    archive.add(request_of(*spans))

    def exemplar(query: str) -> Exemplar:
        ((one,),) = (one.exemplars for one in asked(archive, query, exemplars=10).series.values())
        return one

    longest = Exemplar(spans[2].trace_id, spans[2].span_id, spans[2].start_time_unix_nano, None)
    assert exemplar("{ } | rate()") == longest
    assert exemplar("{ } | max_over_time(duration)").value == 0.003
    assert exemplar("{ } | min_over_time(duration)").value == 0.001
    assert exemplar("{ } | avg_over_time(span.n)").span_id == spans[0].span_id
    assert exemplar("{ } | count_over_time() > 0").span_id == spans[2].span_id


def test_exemplars_of_quantiles_stand_with_the_highest(archive: Archive) -> None:
    archive.add(request_of(at("a", 0)))
    series = asked(archive, "{ } | quantile_over_time(duration, .5, .9)", exemplars=10).series
    assert [len(one.exemplars) for one in series.values()] == [0, 1]


def test_exemplars_go_with_their_points(archive: Archive) -> None:
    archive.add(request_of(at("a", 0), at("b", 1), at("c", MINUTE_NS)))
    (series,) = asked(archive, "{ } | count_over_time() > 1", exemplars=10).series.values()
    assert (series.points, len(series.exemplars)) == ([2, None], 1)


def test_exemplars_are_capped_and_spread_over_all_points(archive: Archive) -> None:
    archive.add(request_of(*(at(str(second), second * SECOND_NS) for second in range(120))))
    found = asked(archive, "{ } | rate()", SECOND_NS, exemplars=10).series[()]
    assert [one.start_ns for one in found.exemplars] == [START_NS + second * SECOND_NS for second in range(0, 120, 12)]
    by_name = asked(archive, "{ } | rate() by (name)", SECOND_NS, exemplars=10).series.values()
    assert sum(len(series.exemplars) for series in by_name) == 10


@pytest.mark.parametrize(
    ("hint", "wanted", "shown"), [("true", 0, 2), ("true", 1, 1), ("false", 5, 0), ("1", 0, 1), ("1", 5, 1)]
)
def test_what_the_query_says_of_exemplars_goes_before(archive: Archive, hint: str, wanted: int, shown: int) -> None:
    archive.add(request_of(at("a", 0), at("b", MINUTE_NS)))
    (series,) = asked(archive, f"{{ }} | rate() with(exemplars={hint})", exemplars=wanted).series.values()
    assert len(series.exemplars) == shown


def test_an_answer_with_too_many_points_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.add(request_of(*(at(str(number), number) for number in range(11))))
    monkeypatch.setattr(metrics_counting, "METRIC_POINTS_MAX", 20)
    with pytest.raises(QueryTooBroad, match="more than 20 points"):
        asked(archive, "{ } | rate() by (name)")
    assert len(asked(archive, "{ } | rate() by (name)", None).series) == 11


@pytest.mark.parametrize(
    ("query", "step_ns", "said"),
    [
        ("{ }", MINUTE_NS, "finds spans"),
        ("{ } | rate()", 0, "longer than nothing"),
        ("{ } | rate()", 1000, "11000 can be told"),
    ],
)
def test_what_cannot_be_counted_is_refused(archive: Archive, query: str, step_ns: int, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        asked(archive, query, step_ns)


def in_trace(name: str, after_ns: int, number: int = 1, **other: object) -> Span:
    return at(name, after_ns, trace_id=bytes(15) + bytes([number]), **other)


def test_a_trace_is_looked_at_whole_also_where_it_reaches_out_of_the_range(archive: Archive) -> None:
    archive.add(request_of(in_trace("root", -3000 * SECOND_NS, kind=Span.SPAN_KIND_SERVER)))
    root = in_trace("root", 0).span_id
    archive.add(request_of(in_trace("late", 0, parent=root), in_trace("later", MINUTE_NS, parent=root)))
    assert points(archive, "{ kind = server } > { } | count_over_time()") == [1, 1]
    assert points(archive, "{ } < { name = `late` } | count_over_time()") == [0, 0]
    assert list(asked(archive, "{ } | rate() by (rootName)").series) == [(("rootName", text("root")),)]


def test_whole_traces_are_looked_at_in_parts(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 40):
        root = in_trace("root", number, number, duration_ns=number * SECOND_NS)
        child = in_trace("child", number, number, parent=root.span_id, duration_ns=2 * number * SECOND_NS)
        archive.add(request_of(root, child, root))
    queries = [
        "{ } > { } | count_over_time()",
        "{ } > { } | avg_over_time(duration)",
        "{ } > { } | min_over_time(duration)",
        "{ } | sum_over_time(traceDuration) by (rootName)",
        "{ } > { } | quantile_over_time(duration, 0, .3, .5, .99, 1)",
        "{ } > { } | histogram_over_time(duration)",
    ]
    together = [asked(archive, query, exemplars=10).series for query in queries]
    monkeypatch.setattr(metrics_spans, "PART_SPANS", 20)
    in_parts = [asked(archive, query, exemplars=10).series for query in queries]
    for whole, parts in zip(together, in_parts, strict=True):
        assert parts.keys() == whole.keys()
        for labels, series in whole.items():
            assert parts[labels].points == pytest.approx(series.points)
    assert together[0][()].points == [39, 0]


def test_more_numbers_than_a_quantile_is_taken_of_are_refused(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 20):
        archive.add(request_of(in_trace("root", 0, number), in_trace("child", 0, number, parent=b"anybody.")))
    monkeypatch.setattr(metrics_spans, "PART_SPANS", 10)
    monkeypatch.setattr(metrics_aggregates, "QUANTILE_NUMBERS_MAX", 10)
    with pytest.raises(QueryTooBroad, match="10 numbers at most"):
        asked(archive, "{ } | quantile_over_time(traceDuration, .5)")


def test_roots_are_counted_without_looking_at_their_traces(archive: Archive) -> None:
    children = [at(name, 0, parent=parent) for name, parent in (("a", b"the root"), ("b", b"another."))]
    archive.add(request_of(at("root", 0, span_id=b"the root"), *children))
    for query in ("{ nestedSetParent < 0 }", "{ nestedSetParent = -1 && name != `x` }"):
        assert points(archive, f"{query} | count_over_time()") == [1, 0]
        assert tag_values(archive.reading(), Intrinsic.STATUS, START_NS, RECEIVED_NS, check(parse(query))).values
    assert points(archive, "{ !(nestedSetParent < 0) } | count_over_time()") == [2, 0]
    assert points(archive, "{ nestedSetParent < 0 } | count_over_time() by (rootName)") == [1, 0]


def compared(archive: Archive, query: str, label: str) -> dict[tuple[str, object], float]:
    """By kind of count and value of a label, what the whole range counts."""
    found = {}
    for (meta, field), series in asked(archive, query, None).series.items():
        if field[0] == label and isinstance(meta[1], Literal):
            found[str(meta[1].value), field[1].value if isinstance(field[1], Literal) else None] = series.points[0]
    return found  # type: ignore[return-value]


def test_values_are_compared_whether_their_attribute_has_a_column_or_not(archive: Archive) -> None:
    many = {f"key {number}": True for number in range(200)}
    twice = at("twice", 0)
    twice.attributes.extend([key_value("key 199", 1), key_value("key 199", 2)])
    archive.add(request_of(at("a", 0, attributes=many), at("b", 0, attributes={"key 199": 5.5}), twice))
    assert compared(archive, "{ } | compare({ name = `a` })", 'span."key 199"') == {
        ("selection", True): 1,
        ("selection_total", None): 1,
        ("baseline", 5.5): 1,
        ("baseline", 1): 1,
        ("baseline_total", None): 2,
    }
    assert compared(archive, "{ } | compare({ name = `a` })", "resource.service.name") == {
        ("selection", "checkout"): 1,
        ("selection_total", None): 1,
        ("baseline", "checkout"): 2,
        ("baseline_total", None): 2,
    }


def test_the_most_frequent_values_are_compared_on_each_side(archive: Archive) -> None:
    values = ["b", "a", "a", "c", "c"]
    archive.add(request_of(*(at(f"{n}", n, attributes={"v": value}) for n, value in enumerate(values))))
    assert compared(archive, "{ } | compare({ span.v != `c` }, 1)", "span.v") == {
        ("selection", "a"): 2,
        ("selection_total", None): 3,
        ("baseline", "c"): 2,
        ("baseline_total", None): 2,
    }


def test_spans_are_selected_by_any_of_their_events(archive: Archive) -> None:
    events = [Span.Event(name="first"), Span.Event(name="boom")]
    archive.add(request_of(at("a", 0, events=events), at("b", 0)))
    assert compared(archive, "{ } | compare({ event:name = `boom` })", "name") == {
        ("selection", "a"): 1,
        ("selection_total", None): 1,
        ("baseline", "b"): 1,
        ("baseline_total", None): 1,
    }


def test_spans_are_compared_whatever_chose_them(archive: Archive) -> None:
    root = in_trace("root", 0)
    archive.add(request_of(root, in_trace("a", 0, parent=root.span_id), in_trace("b", MINUTE_NS, parent=root.span_id)))
    found = compared(archive, "{ } > { } | compare({ traceDuration > 1h || name = `b` })", "rootName")
    assert found == {
        ("selection", "root"): 1,
        ("selection_total", None): 1,
        ("baseline", "root"): 1,
        ("baseline_total", None): 1,
    }


def test_too_many_counts_are_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.add(request_of(at("a", 0), at("b", 0)))
    monkeypatch.setattr(metrics_comparison, "METRIC_POINTS_MAX", 5)
    with pytest.raises(QueryTooBroad, match="more than 5 counts"):
        asked(archive, "{ } | compare({ name = `a` })")


def test_series_come_in_the_order_of_their_labels(archive: Archive) -> None:
    archive.add(request_of(*(at(name, 0) for name in "cab")))
    labels = [labels for labels, _ in asked(archive, "{ } | rate() by (name)").series.items()]
    assert [value.value for ((_, value),) in labels if isinstance(value, Literal)] == ["a", "b", "c"]


def test_the_answer_says_what_it_was_counted_from(archive: Archive) -> None:
    assert asked(archive, "{ } | rate()").source == "spans"
