import os
import signal
import threading

import pytest

from unrolled.training.interruption import interruptible


@pytest.fixture(autouse=True)
def _heard():
    """Pythons that are started in the background ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_interrupt_is_a_request_and_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with interruptible() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_signals_are_left_alone():
    seen = []

    def train():
        with interruptible() as interruption:
            seen.append((interruption.requested, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
