"""What goes wrong in this update? Decided by seed, device and deployment, so that a rehearsal can be repeated."""

from fairlead.cli.simulate.device import Fate, Habits, Step
from fairlead.cli.simulate.identity import share

SILENCES = (Step.DOWNLOAD, Step.INSTALL, Step.COMMIT)


def decide(habits: Habits, index: int, deployment_id: str) -> Fate:
    """At most one of silence, a broken download and a failure; all but the broken may be cut and resumed."""

    def chance(of: str) -> float:
        return share(habits.seed, f"{of} {index} {deployment_id}")

    resumes = chance("resume") < habits.resume_rate
    if chance("silence") < habits.silence_rate:
        return Fate(silent_before=SILENCES[int(chance("silent step") * len(SILENCES))], resumes=resumes)
    if chance("abort") < habits.abort_download_rate:
        return Fate(breaks_off=True)
    return Fate(fails=chance("failure") < habits.failure_rate, resumes=resumes)


def hang_up_at(fate: Fate, received_bytes: int, total_bytes: int) -> int | None:
    """After how many bytes of a fresh download the device hangs up, if it does."""
    if received_bytes or total_bytes < 2 or not (fate.breaks_off or fate.resumes):
        return None
    return total_bytes // 2
