"""Tasks of type `smtp`: a letter."""

from __future__ import annotations

from email.errors import MessageError
from email.message import EmailMessage

from fairlead.base import clock
from fairlead.base.smtp import Carrier, NotTaken, is_address
from fairlead.domain.workflows.definition import SmtpTask, Task
from fairlead.domain.workflows.model import Result, Run, StepFailed
from fairlead.domain.workflows.substitution import Values, filled_text

LONGEST_HEADER = 4000
MOST_RECIPIENTS = 100


def run_smtp(task: Task, said: SmtpTask, values: Values, run: Run, carrier: Carrier) -> Result:
    """Hand the letter over. Its Message-ID is the same at each attempt."""
    try:
        message = _message(said, values, run, carrier.sender)
    except ValueError as problem:  # line breaks in headers, or what is no address
        reason = f"the letter cannot be written: {problem}"
        raise StepFailed(reason, Result(task.name, task.type, success=False), for_good=True) from None
    shown = {"smtp": {"sender": str(message["From"]), "recipients": _recipients(message)}}
    try:
        carrier.carry(message, run.key.replace(":", "-"))
    except NotTaken as problem:
        failed = Result(task.name, task.type, success=False, data=shown)
        raise StepFailed(str(problem), failed, for_good=problem.for_good) from None
    return Result(task.name, task.type, success=True, data=shown)


def _message(said: SmtpTask, values: Values, run: Run, sender: str) -> EmailMessage:
    message = EmailMessage()
    _put(message, "From", filled_text(said.from_, values) or sender)
    if not is_address(str(message["From"])):
        raise ValueError("it comes from no address")
    for header, addresses in (("To", said.to), ("Cc", said.cc), ("Bcc", said.bcc)):
        known = [address for each in addresses if (address := filled_text(each, values).strip(" ,"))]
        if known:
            _put(message, header, ", ".join(known))
    _make_sure_of_recipients(message)
    _put(message, "Subject", filled_text(said.subject, values))
    message["Date"] = clock.now()
    message["Message-ID"] = f"<{run.key.replace(':', '.')}@{message['From'].addresses[0].domain}>"
    message["Auto-Submitted"] = "auto-generated"
    text, html = filled_text(said.body, values), filled_text(said.html, values)
    if text or not html:
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
    else:
        message.set_content(html, subtype="html")
    return message


def _put(message: EmailMessage, header: str, text: str) -> None:
    if len(text) > LONGEST_HEADER:  # folding a header takes long when it is long
        raise ValueError(f"{header} may have at most {LONGEST_HEADER} characters")
    try:
        message[header] = text
        message[header].fold(policy=message.policy)
    except (
        IndexError,
        AttributeError,
        RecursionError,
        MessageError,
    ):  # of some texts Python's parser says it like that
        raise ValueError(f"{header} cannot be read") from None


def _recipients(message: EmailMessage) -> list[str]:
    """All of them: those that are not seen in the letter as well."""
    headers = [message[name] for name in ("To", "Cc", "Bcc") if message[name] is not None]
    return [address.addr_spec for header in headers for address in header.addresses]


def _make_sure_of_recipients(message: EmailMessage) -> None:
    headers = [message[name] for name in ("To", "Cc", "Bcc") if message[name] is not None]
    addresses = [address for header in headers for address in header.addresses]
    if not addresses:
        raise ValueError("it is addressed to nobody")
    if len(addresses) > MOST_RECIPIENTS:
        raise ValueError(f"it may be addressed to at most {MOST_RECIPIENTS}")
    if any(header.defects for header in headers) or not all(each.username and each.domain for each in addresses):
        raise ValueError("it is addressed to what is no address")
