"""Numbers at the end of a run."""

from fairlead.cli.simulate.figures import Figures, Latencies
from fairlead.cli.simulate.result import conclude


def test_percentiles_are_right_within_a_few_per_cent_and_the_longest_exactly():
    latencies = Latencies()
    for milliseconds in range(1, 1001):
        latencies.add(milliseconds / 1000)

    for per_cent in (50, 90, 99):
        assert abs(latencies.percentile(per_cent) - per_cent / 100) < 0.04 * per_cent / 100
    assert latencies.longest_seconds == 1.0


def test_without_answers_there_are_no_percentiles():
    assert Latencies().percentile(50) == 0


def test_a_run_without_errors_went_as_asked():
    result = conclude(Figures(), devices=3, seconds=1, unfinished=0)

    assert result.ok
    assert result.sentences == ["It went as asked."]


def test_errors_and_unfinished_devices_are_said_in_sentences():
    figures = Figures()
    figures.errors["next: 500"] = 2
    figures.states["waiting"] = 1
    figures.longest_delay_seconds = 3.21

    result = conclude(figures, devices=3, seconds=1, unfinished=1)

    assert not result.ok
    assert [sentence.split(";")[0].split(":")[0] for sentence in result.sentences] == [
        "2 times something happened that a real device could not live with",
        "1 of 3 devices did not finish a deployment.",
        "Still without a token",
        "Devices spoke up to 3.2 s late",
    ]
