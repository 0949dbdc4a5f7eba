import threading


def at_once(work, count):
    """Call ``work(number)`` in so many threads side by side, and wait for them all."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
