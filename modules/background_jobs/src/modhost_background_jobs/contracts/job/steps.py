"""What an attempt remembers for later ones: steps that are done, and how far it has come."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, TypeVar, TypeVarTuple, overload

from sqlmodel.ext.asyncio.session import AsyncSession

T = TypeVar("T")
Args = TypeVarTuple("Args")


class ThreadSteps(Protocol):
    """The steps of a job with a plain `def execute`, which wait in its thread."""

    @overload
    def step(
        self,
        name: str,
        function: Callable[[AsyncSession, *Args], Awaitable[T]],
        *args: *Args,
        transactional: Literal[True],
    ) -> T: ...

    @overload
    def step(
        self,
        name: str,
        function: Callable[[*Args], Awaitable[T]],
        *args: *Args,
        transactional: Literal[False] = False,
    ) -> T: ...

    @overload
    def step(
        self,
        name: str,
        function: Callable[[*Args], T],
        *args: *Args,
        transactional: Literal[False] = False,
    ) -> T: ...

    def step(
        self, name: str, function: Callable[..., Any], *args: *Args, transactional: bool = False
    ) -> Any:
        """Do as `JobExecutionContext.step`, and wait for it.

        Args:
            name: what the result is stored under.
            function: what is called: a plain function in the thread of the job, an `async` one on
                the event loop.
            *args: what it is called with.
            transactional: whether it gets an `AsyncSession` first.

        Returns:
            What the function returned, now or in an earlier attempt.

        Raises:
            StepError: as there.
            JobCancelled: the job was asked to stop.

        """


class JobSteps(Protocol):
    """A part of `JobExecutionContext`: what is done is not done again."""

    @overload
    async def step(
        self,
        name: str,
        function: Callable[[AsyncSession, *Args], Awaitable[T]],
        *args: *Args,
        transactional: Literal[True],
    ) -> T: ...

    @overload
    async def step(
        self,
        name: str,
        function: Callable[[*Args], Awaitable[T]],
        *args: *Args,
        transactional: Literal[False] = False,
    ) -> T: ...

    @overload
    async def step(
        self,
        name: str,
        function: Callable[[*Args], T],
        *args: *Args,
        transactional: Literal[False] = False,
    ) -> T: ...

    async def step(
        self, name: str, function: Callable[..., Any], *args: *Args, transactional: bool = False
    ) -> Any:
        """Call a function and store what it returned; in a later attempt return that at once.

        It is called at least once, and again when the attempt dies before that is stored. With
        `transactional=True` it writes exactly once, whatever crashes: what it writes in its session
        and the note that the step is done commit together.

        What it returns is read as its return annotation says, in this attempt too.

        Args:
            name: what the result is stored under, 1 to 200 characters; each once in an attempt.
            function: what is called: an `async` function, or a plain one, which runs in a thread.
            *args: what it is called with, after the session if there is one.
            transactional: whether it gets an `AsyncSession` first, in a transaction that it must
                not end. Keep it short: on SQLite nothing else of this process writes meanwhile.

        Returns:
            What the function returned, now or in an earlier attempt.

        Raises:
            StepError: the name is used twice, or what the function returns cannot be stored, or
                not be read again; the job fails without another attempt.
            JobCancelled: the job was asked to stop, or its worker was found dead meanwhile: then
                nothing is stored.

        """

    async def finish_in(self, session: AsyncSession, result: object = None) -> None:
        """End the job as completed in the caller's transaction: both happen, or neither.

        Call it last in the transaction: the job's row is locked until that ends. When it is rolled
        back the job is still running, and the attempt has its ordinary end. After its commit the
        job has finished, whatever the attempt still does: what `execute` returns is not kept, and
        an error that it raises is written to the log of the worker alone.

        Args:
            session: the session that the job writes with.
            result: what the job returns, in place of what `execute` returns.

        Raises:
            PermanentJobError: the result cannot be stored, or is larger than `max_result_size`.
            JobCancelled: the job was asked to stop, or its worker was found dead meanwhile.
            RuntimeError: the job has finished already.

        """

    def checkpoint(self, value: object) -> None:
        """Note how far the job has come, for later attempts; never blocks, stored in batches.

        Of several in a short time only the last is stored. When an attempt fails or is snoozed, or
        its worker shuts down, its last one is; a crash loses at most those of the last
        `progress_flush_interval`.

        Args:
            value: a model of pydantic, or JSON, of up to `max_result_size` characters; None for
                nothing any more.

        Raises:
            StepError: it is not JSON, or too large.

        """

    def last_checkpoint(self, model: type[T]) -> T | None:
        """Return the last checkpoint of this job, by this attempt or an earlier one.

        Args:
            model: the type to validate it as: a model, a dataclass, `dict[str, int]`.

        Returns:
            The checkpoint; None when there is none.

        Raises:
            JobDataError: it does not fit the model; the job fails without another attempt.

        """

    @property
    def from_thread(self) -> ThreadSteps:
        """The steps of a job with a plain `def execute`: `context.from_thread.step(...)`."""
