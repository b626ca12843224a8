"""The same as ``media.workers``, on the machines of a Ray cluster: a machine that is lost costs no file."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from unmask.media.workers import Lost
from unmask.tables.errors import UnmaskError

T = TypeVar("T")

#: How often a file is begun again whose process died: the machine may be to blame, and not the file.
_AGAIN = 2
#: Seconds between two looks at who took too long.
_PATIENCE_S = 1.0


@dataclass
class _Task:
    """One file on its way.

    Attributes:
        place: in the order of the files.
        deaths: of processes that worked on it.
        actor: whose process works on it.
        since: when it was handed to it.
    """

    place: int
    deaths: int
    actor: Any
    since: float


def in_order(
    work: Callable[..., T], files: Sequence[Sequence[Any]], *, workers: int | None, time_limit_s: float
) -> Iterator[T | Lost]:
    """Do some work on each file on a Ray cluster, and give the results in the files' order.

    Joins the cluster that RAY_ADDRESS names, or the one that runs on this machine; where there is none, one is begun
    here and ended with the work. The files, and unmask, must be found under the same paths on all machines.

    Args:
        work: a function of a module; what it raises is raised here.
        files: its arguments for each file.
        workers: processes; None for one a processor of the cluster.
        time_limit_s: seconds after which a file is given up.

    Raises:
        UnmaskError: Ray is not installed, or its processes end before they begin.
    """
    try:
        import ray
        from ray.exceptions import RayActorError, RayTaskError
    except ModuleNotFoundError as error:
        raise UnmaskError("Ray is not installed", next_step="run: pip install -e '.[cluster]'") from error
    if not files:
        return
    begun = not ray.is_initialized()
    if begun:
        _begin(ray, workers)
    hand: Any = ray.remote(num_cpus=1)(_Hand)
    count = min(workers or max(int(ray.cluster_resources().get("CPU", 1)), 1), len(files))
    # A process may need long to start; what it works on then has its time from when it can begin.
    starting: dict[Any, Any] = {actor.ready.remote(): actor for actor in (hand.remote(work) for _ in range(count))}
    idle: list[Any] = []
    broken = 0

    def start_another() -> None:
        actor = hand.remote(work)
        starting[actor.ready.remote()] = actor

    waiting = deque((place, 0) for place in range(len(files)))
    running: dict[Any, _Task] = {}
    results: dict[int, T | Lost] = {}
    give = 0
    try:
        while give < len(files):
            while waiting and idle and waiting[0][0] < give + count * 32:
                place, deaths = waiting.popleft()
                actor = idle.pop()
                reference = actor.do.remote(list(files[place]))
                running[reference] = _Task(place, deaths, actor, time.monotonic())
            done, _ = ray.wait([*running, *starting], timeout=_PATIENCE_S)
            for reference in done:
                if reference in starting:
                    actor = starting.pop(reference)
                    try:
                        ray.get(reference)
                    except RayActorError as error:
                        broken += 1
                        if broken > count + _AGAIN:
                            raise UnmaskError(
                                "processes of the Ray cluster end before they begin",
                                next_step="install unmask with what the work needs on every machine of the cluster",
                            ) from error
                        start_another()
                    else:
                        idle.append(actor)
                        broken = 0  # machines may come and go during a long run
                    continue
                task = running.pop(reference)
                try:
                    results[task.place] = ray.get(reference)
                    idle.append(task.actor)
                except RayTaskError as error:
                    raise error.cause from error
                except RayActorError:
                    start_another()
                    if task.deaths < _AGAIN:
                        waiting.appendleft((task.place, task.deaths + 1))
                    else:
                        results[task.place] = Lost("decoder_crashed")
            for reference, task in list(running.items()):
                if time.monotonic() - task.since > time_limit_s:
                    del running[reference]
                    ray.kill(task.actor)
                    start_another()
                    results[task.place] = Lost("took_too_long")
            while give in results:
                yield results.pop(give)
                give += 1
    finally:
        if begun:
            ray.shutdown()
        else:
            for actor in [*idle, *starting.values(), *(task.actor for task in running.values())]:
                ray.kill(actor)


class _Hand:
    """A process that does the work on one file after the other."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work = work

    def ready(self) -> None:
        """Come back once the process has started."""

    def do(self, arguments: Sequence[Any]) -> Any:
        return self.work(*arguments)


def _begin(ray: Any, workers: int | None) -> None:
    try:
        ray.init(address="auto", logging_level="ERROR", log_to_driver=False)
    except ConnectionError:
        ray.init(num_cpus=workers, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
