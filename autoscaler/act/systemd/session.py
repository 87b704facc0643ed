"""Follow the units of one systemd for as long as one connection lasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from autoscaler.act.event_loop import EventLoop, Timer
from autoscaler.act.systemd import calls
from autoscaler.act.systemd.decoding import Received, unit_of_path
from autoscaler.act.systemd.ledger import PROPERTIES, Ledger
from autoscaler.act.systemd.reach import Reach
from autoscaler.act.systemd.survey import Survey
from autoscaler.act.systemd.values import NO_ANSWER, Answer, Unit, Watcher
from autoscaler.act.systemd.wire import Call, Reply, Wire

NO_INSTALL = "autoscaler.NoInstall"  # stands for the error's name when a unit cannot be enabled
_SURVEY_EVERY_SECONDS = 30.0
_INSTANT_SECONDS = 0.02
_SURVEY_AGAIN_SECONDS = 1.0
_MOST_FAILED_SURVEYS = 3


class Session:
    """One connection: what comes through it is told to the watcher."""

    def __init__(self, loop: EventLoop, reach: Reach, globs: tuple[str, ...], watcher: Watcher, lost: Callable[[str], None]) -> None:
        """Begin to connect; raises UnreachableError when that fails at once. ``lost`` is called once, with the cause, unless it is closed before."""
        self.is_up = False
        self.has_been_up = False
        self._loop = loop
        self._place = reach.place
        self._globs = globs
        self._watcher = watcher
        self._lost = lost
        self._ledger = Ledger(globs)
        self._is_listed = False  # what the ledger holds is all there is
        self._told: dict[str, Unit] = {}
        self._unread: dict[tuple[str, str], Received] = {}  # the newest properties of a unit, by its name and their interface
        self._touched: dict[str, None] = {}  # in the order they changed
        self._asked: set[str] = set()  # types of jobs that are under way
        self._acting: Counter[str] = Counter()  # our calls under way, by unit
        self._systemd = ""  # its unique name on the bus
        self._is_reloading = False
        self._survey: Survey | None = None
        self._is_survey_wanted = False
        self._failed_surveys = 0
        self._next_survey: Timer | None = None
        self._wire = Wire(loop, reach, self)

    def look_for(self, globs: tuple[str, ...]) -> None:
        """Follow other units from now on."""
        self._globs = globs
        self._ledger = Ledger(globs)
        self._is_listed = False
        self._touched.clear()
        self._is_survey_wanted = True
        if self._survey is None and self.is_up:
            self._take_survey()

    def act(self, call: Call, unit: str, job_type: str, then: Callable[[Answer], None]) -> None:
        """Send a call about one unit; ``job_type`` is that of the job which it makes, empty for none."""
        self._acting[unit] += 1
        self._wire.call(call, lambda reply: self._acted(unit, job_type, reply, then))

    def close(self) -> None:
        """Let go of everything; nothing is called afterwards."""
        self.is_up = False
        self._wire.close()
        if self._next_survey is not None:
            self._next_survey.cancel()

    def free_memory(self, free_bytes: int) -> None:
        """Pass on how much memory the host has free."""
        self._watcher.memory(free_bytes)

    def logged_in(self) -> None:
        """Ask for signals first, so that nothing happens unseen between the list and them."""
        for call in (calls.HELLO, *calls.FOLLOW):
            self._wire.call(call, self._granted)
        self._wire.call(calls.NAME_OWNER, self._named)
        self._take_survey()

    def broken(self, cause: str) -> None:
        """Pass on that the connection is of no use any more."""
        self.close()
        self._lost(cause)

    def signalled(self, signal: Received) -> None:
        """Take in a signal of the bus or of systemd; anybody else's are nothing to us."""
        if signal.sender == calls.BUS and signal.member == "NameOwnerChanged":
            self._owner_changed(signal)
        elif signal.sender == self._systemd:
            take = {
                "PropertiesChanged": self._properties_changed,
                "JobRemoved": self._job_removed,
                "JobNew": self._job_new,
                "UnitRemoved": self._unit_removed,
                "Reloading": self._reloading,
                "UnitFilesChanged": self._files_changed,
            }.get(signal.member)
            if take is not None:
                take(signal)

    def settled(self) -> None:
        """Tell what has changed by all that came together."""
        self._read_all()
        touched, self._touched = self._touched, {}
        for name in touched:
            unit = self._ledger.unit(name)
            if unit.active_state == "failed" and self._told.get(name, unit).active_state not in {"failed", "inactive"}:
                # A unit that is restarted by itself is failed first, for an instant.
                self._loop.at(self._loop.now() + _INSTANT_SECONDS, lambda name=name: self._tell(name))  # type: ignore[misc]
            else:
                self._tell(name)

    def _granted(self, reply: Reply) -> None:
        if reply.error:
            self._wire.fail(f"the bus of {self._place} refuses: {reply.sentence}")

    def _named(self, reply: Reply) -> None:
        if reply.error:
            self._wire.fail(f"no systemd is on the bus of {self._place}: {reply.sentence}")
        else:
            self._systemd = str(reply.values[0])

    def _owner_changed(self, signal: Received) -> None:
        name, _, owner = signal.body("sss") or ("", "", "")
        if name != calls.SYSTEMD:
            return
        self._systemd = owner
        if owner:
            self._want_survey()
        else:
            self._wire.fail(f"systemd of {self._place} has left the bus")

    def _properties_changed(self, signal: Received) -> None:
        """Keep the newest of those that come together: each holds every property that can change, and to read one takes 0.1 ms."""
        name, interface = unit_of_path(signal.path), signal.first_text()
        if interface in {calls.UNIT, calls.SERVICE} and self._ledger.cares_for(name):
            self._unread[name, interface] = signal
            self._touched[name] = None

    def _read_all(self) -> None:
        for name in {name for name, _ in self._unread}:
            self._read_properties(name)

    def _read_properties(self, name: str) -> None:
        for interface in (calls.SERVICE, calls.UNIT):
            signal = self._unread.pop((name, interface), None)
            body = signal.body("sa{sv}as") if signal else None
            if body is not None:
                self._ledger.merge(name, body[1])
                for each in PROPERTIES.intersection(body[2]):
                    self._ask(name, interface, each)

    def _job_removed(self, signal: Received) -> None:
        _, job, name, result = signal.body("uoss") or (0, "", "", "")
        if self._ledger.cares_for(name):
            self._tell(name)
            if self.is_up and self._is_listed:
                self._watcher.job_ended(job, name, result)
            self._ledger.end_job(name, job)
            self._touched[name] = None

    def _job_new(self, signal: Received) -> None:
        _, _, name = signal.body("uos") or (0, "", "")
        if name in calls.GOODBYES and self.is_up:
            self._watcher.going_down()

    def _unit_removed(self, signal: Received) -> None:
        name, _ = signal.body("so") or ("", "")
        # While it reloads systemd drops all units and takes them up again.
        if self._ledger.cares_for(name) and not self._is_reloading:
            self._read_properties(name)
            self._ledger.forget(name)
            self._tell(name)
            self._told.pop(name, None)

    def _reloading(self, signal: Received) -> None:
        (self._is_reloading,) = signal.body("b") or (False,)
        if not self._is_reloading:
            self._want_survey()

    def _files_changed(self, _: Received) -> None:
        self._want_survey()

    def _tell(self, name: str) -> None:
        """Tell of a unit when it is another than was told last."""
        if not self.is_up or not self._is_listed:
            return
        self._read_properties(name)
        unit = self._ledger.unit(name)
        self._ask_for_job_type(unit)
        if unit == self._told.get(name, Unit(name)):
            return
        self._told[name] = unit
        if unit.active_state == "failed" and unit.result == "success":
            self._ask(name, calls.SERVICE, "Result")
        self._watcher.changed(unit)

    def _ask_for_job_type(self, unit: Unit) -> None:
        job = self._ledger.job_without_type(unit.name)
        # The answer to our own call tells the type of its job.
        if job and job not in self._asked and not self._acting[unit.name]:
            self._asked.add(job)
            self._wire.call(calls.get_job_type(job), lambda reply: self._job_type_told(unit.name, job, reply))

    def _job_type_told(self, name: str, job: str, reply: Reply) -> None:
        self._asked.discard(job)
        if not reply.error and self._ledger.job_without_type(name) == job:
            self._ledger.name_job(name, job, str(reply.values[0][1]))
            self._touched[name] = None

    def _ask(self, name: str, interface: str, key: str) -> None:
        self._wire.call(calls.get_property(name, interface, key), lambda reply: self._property_told(name, key, reply))

    def _property_told(self, name: str, key: str, reply: Reply) -> None:
        if not reply.error:
            self._read_properties(name)  # what came before the reply is older
            self._ledger.merge(name, {key: reply.values[0]})
            self._touched[name] = None

    def _acted(self, unit: str, job_type: str, reply: Reply, then: Callable[[Answer], None]) -> None:
        self._acting[unit] -= 1
        if not self._acting[unit]:
            del self._acting[unit]
        job = str(reply.values[0]) if job_type and reply.values else ""
        if job and self._ledger.cares_for(unit):
            self._ledger.name_job(unit, job, job_type)
        self._touched[unit] = None
        then(_answer(unit, job, reply))

    def _want_survey(self) -> None:
        if self._survey is None:
            self._take_survey()
        else:
            self._is_survey_wanted = True

    def _take_survey(self) -> None:
        self._is_survey_wanted = False
        if self._next_survey is not None:
            self._next_survey.cancel()
        self._survey = Survey(self._wire, self._ledger, self._globs, done=self._surveyed, before=self._read_all)

    def _surveyed(self, survey: Survey) -> None:
        self._survey = None
        if survey.failure.error:
            self._survey_failed(survey.failure)
            return
        self._failed_surveys = 0
        if survey.ledger is not self._ledger:
            self._take_survey()
            return
        self.is_up = self.has_been_up = self._is_listed = True
        self._touched.clear()
        self._told = self._ledger.units()
        for unit in self._told.values():
            self._ask_for_job_type(unit)
        self._watcher.up(survey.inventory())
        if self._is_survey_wanted and self.is_up:
            self._take_survey()
        elif self.is_up:
            self._survey_after(_SURVEY_EVERY_SECONDS)

    def _survey_failed(self, failure: Reply) -> None:
        """Try again: one that went into a re-execution of systemd is lost, and nothing else is."""
        self._failed_surveys += 1
        if failure.error == NO_ANSWER:
            self._wire.fail("no answer in time to what it was asked")
        elif self._failed_surveys >= _MOST_FAILED_SURVEYS:
            self._wire.fail(f"systemd of {self._place} refuses: {failure.sentence}")
        elif self._is_survey_wanted:
            self._take_survey()
        else:
            self._survey_after(_SURVEY_AGAIN_SECONDS)

    def _survey_after(self, seconds: float) -> None:
        self._next_survey = self._loop.at(self._loop.now() + seconds, self._want_survey)


def _answer(unit: str, job: str, reply: Reply) -> Answer:
    # Only EnableUnitFiles answers with a boolean: whether the file says what would start the unit.
    if reply.values and reply.values[0] is False:
        return Answer(error=NO_INSTALL, sentence=f"the file of {unit} has no [Install] section, so nothing would start it at boot")
    return Answer(job, reply.error, reply.sentence)
