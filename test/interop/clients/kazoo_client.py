"""kazoo against whatever server is at argv[1]. Says `ok NAME` for each thing that works, and
`RESTART` when the server is to go away and come back; fails with a traceback."""

import sys
import threading

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
)
from kazoo.recipe.lease import NonBlockingLease
from kazoo.recipe.partitioner import SetPartitioner
from kazoo.retry import KazooRetry
from kazoo.security import make_digest_acl

HOSTS = sys.argv[1]
TOP = "/kazoo"
LIMIT_S = 30


def connect(**options):
    retry = KazooRetry(max_tries=-1, delay=0.1, max_delay=0.5)
    client = KazooClient(
        HOSTS, timeout=10, connection_retry=retry, command_retry=retry, **options
    )
    client.start(timeout=LIMIT_S)
    return client


def refused(error, call, *args, **options):
    try:
        call(*args, **options)
    except error:
        return
    raise AssertionError("%s was not refused" % call.__name__)


def wait(event):
    assert event.wait(LIMIT_S), "nothing came within %d s" % LIMIT_S


def run_all(*works):
    """Each in a thread of its own; the first failure is raised here."""
    failures = []

    def guarded(work):
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    # Daemons: one that hangs must not keep the program from ending with its failure.
    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * LIMIT_S)
        assert not thread.is_alive(), "a thread hangs"
    if failures:
        raise failures[0]


def data(zk, _other):
    path = TOP + "/data"
    assert zk.create(path, b"one", makepath=True) == path
    value, stat = zk.get(path)
    assert (value, stat.version, stat.dataLength) == (b"one", 0, 3)
    assert zk.set(path, b"two", version=0).version == 1
    refused(BadVersionError, zk.set, path, b"three", version=0)
    refused(NodeExistsError, zk.create, path)
    refused(NoNodeError, zk.get, TOP + "/none")
    assert zk.exists(TOP + "/none") is None
    zk.create(path + "/child-\u6591")
    refused(NotEmptyError, zk.delete, path)
    names, stat = zk.get_children(path, include_data=True)
    assert (names, stat.numChildren) == (["child-\u6591"], 1)
    zk.delete(path, recursive=True)
    zk.sync(TOP)


def modes(zk, other):
    path = TOP + "/modes"
    zk.ensure_path(path)
    first = zk.create(path + "/s-", sequence=True)
    second, stat = zk.create(path + "/s-", sequence=True, include_data=True)
    assert (first, second) == (path + "/s-0000000000", path + "/s-0000000001")
    assert stat.czxid == stat.mzxid
    zk.create(path + "/e", ephemeral=True)
    last = zk.create(path + "/e-", ephemeral=True, sequence=True)
    assert last == path + "/e-0000000003"
    other.sync(path)
    assert other.exists(path + "/e").owner_session_id == zk.client_id[0]
    passing = connect()
    passing.create(path + "/passing", ephemeral=True)
    gone = threading.Event()
    other.sync(path)
    assert other.exists(path + "/passing", watch=lambda _event: gone.set())
    passing.stop()
    wait(gone)
    assert other.exists(path + "/passing") is None


def watches(zk, other):
    path = TOP + "/watched"
    events = []
    happened = threading.Semaphore(0)

    def seen(event):
        events.append((event.type, event.path))
        happened.release()

    def after(change):
        change()
        assert happened.acquire(timeout=LIMIT_S)

    assert zk.exists(path, watch=seen) is None
    after(lambda: other.create(path))
    zk.get(path, watch=seen)
    after(lambda: other.set(path, b"x"))
    zk.get_children(path, watch=seen)
    after(lambda: other.create(path + "/a"))
    zk.exists(path + "/a", watch=seen)
    after(lambda: other.delete(path + "/a"))
    assert events == [
        ("CREATED", path),
        ("CHANGED", path),
        ("CHILD", path),
        ("DELETED", path + "/a"),
    ]


def transactions(zk, _other):
    path = TOP + "/transaction"
    good = zk.transaction()
    good.create(path, b"one")
    good.create(path + "/s-", sequence=True)
    good.set_data(path, b"two")
    good.check(path, 1)
    good.delete(path + "/s-0000000000")
    results = good.commit()
    assert results[:2] == [path, path + "/s-0000000000"] and results[2].version == 1
    assert results[3:] == [True, True]
    bad = zk.transaction()
    bad.create(path + "/never")
    bad.check(path, 7)
    results = bad.commit()
    assert isinstance(results[0], RolledBackError)
    assert isinstance(results[1], BadVersionError)
    assert zk.exists(path + "/never") is None


def acls(zk, other):
    path = TOP + "/acl"
    zk.add_auth("digest", "ann:secret")
    acl = make_digest_acl("ann", "secret", all=True)
    zk.create(path, b"hidden", acl=[acl])
    other.sync(path)
    refused(NoAuthError, other.get, path)
    assert zk.get_acls(path)[0] == [acl]
    refused(NoAuthError, other.exists, path)
    other.add_auth("digest", "ann:secret")
    assert other.get(path)[0] == b"hidden"
    refused(NoAuthError, connect().set, path, b"x")


def locks(zk, other):
    path = TOP + "/lock"
    held = []

    def worker(client, name):
        for _ in range(5):
            with client.Lock(path, name):
                held.append(name)
                assert len(held) == 1, held
                held.remove(name)

    run_all(lambda: worker(zk, "a"), lambda: worker(other, "b"))
    reads = [zk.ReadLock(TOP + "/rw"), other.ReadLock(TOP + "/rw")]
    for lock in reads:
        assert lock.acquire(timeout=LIMIT_S)
    write = other.WriteLock(TOP + "/rw")
    assert not write.acquire(blocking=False)
    for lock in reads:
        lock.release()
    assert write.acquire(timeout=LIMIT_S)
    write.release()
    semaphores = [client.Semaphore(TOP + "/semaphore", max_leases=2) for client in (zk, other)]
    assert all(semaphore.acquire(timeout=LIMIT_S) for semaphore in semaphores)
    assert not connect().Semaphore(TOP + "/semaphore", max_leases=2).acquire(blocking=False)
    for semaphore in semaphores:
        semaphore.release()
    assert NonBlockingLease(zk, TOP + "/lease", __import__("datetime").timedelta(minutes=1))


def elections(zk, other):
    path = TOP + "/election"
    led = []
    run_all(
        lambda: zk.Election(path, "a").run(lambda: led.append("a")),
        lambda: other.Election(path, "b").run(lambda: led.append("b")),
    )
    assert sorted(led) == ["a", "b"]


def queues(zk, other):
    queue = zk.Queue(TOP + "/queue")
    for item in (b"one", b"two"):
        queue.put(item)
    queue.put(b"urgent", priority=1)
    assert len(queue) == 3
    other.sync(TOP)
    assert [other.Queue(TOP + "/queue").get() for _ in range(4)] == [b"urgent", b"one", b"two", None]
    locking = zk.LockingQueue(TOP + "/locking")
    locking.put_all([b"a", b"b"])
    mine = other.LockingQueue(TOP + "/locking")
    assert mine.get(timeout=LIMIT_S) == b"a" and locking.get(timeout=LIMIT_S) == b"b"
    assert mine.consume() and locking.consume()


def barriers(zk, other):
    barrier = zk.Barrier(TOP + "/barrier")
    barrier.create()
    lifted = threading.Event()
    waiter = threading.Thread(
        target=lambda: other.Barrier(TOP + "/barrier").wait(LIMIT_S) and lifted.set(), daemon=True
    )
    waiter.start()
    barrier.remove()
    wait(lifted)
    waiter.join()
    inside = []
    # kazoo's recipe looks for the other's node after it made its own: who enters late never learns
    # of the barrier when the first has left again by then, and waits for ever.
    both = threading.Barrier(2)

    def member(client):
        double = client.DoubleBarrier(TOP + "/double", 2)
        double.enter()
        inside.append(client)
        both.wait(LIMIT_S)
        double.leave()

    run_all(lambda: member(zk), lambda: member(other))
    assert len(inside) == 2


def groups(zk, other):
    path = TOP + "/group"
    parties = [client.Party(path, name) for client, name in ((zk, "a"), (other, "b"))]
    for party in parties:
        party.join()
    zk.sync(TOP)
    assert sorted(parties[0]) == ["a", "b"]
    seen = []
    alone = threading.Event()

    @zk.ChildrenWatch(path)
    def on_children(names):
        seen.append(len(names))
        if len(names) == 1:
            alone.set()

    parties[1].leave()
    wait(alone)
    counters = [client.Counter(TOP + "/counter") for client in (zk, other)]
    run_all(*[lambda c=counter: [c.__add__(1) for _ in range(5)] for counter in counters])
    zk.sync(TOP)
    assert counters[0].value == 10
    partitioner = SetPartitioner(zk, TOP + "/set", ("a", "b"), time_boundary=0.2)
    partitioner.wait_for_acquire(LIMIT_S)
    assert sorted(partitioner) == ["a", "b"]
    partitioner.finish()


def restart(zk, other):
    path = TOP + "/restart"
    zk.create(path, b"before")
    zk.create(path + "/mine", ephemeral=True)
    session = zk.client_id
    changed, down, up = threading.Event(), threading.Event(), threading.Event()

    # kazoo forgets its one-shot watches with the connection; its recipe sets them again.
    @zk.DataWatch(path)
    def on_data(value, _stat):
        if value == b"after":
            changed.set()

    def listener(state):
        if state == KazooState.SUSPENDED:
            down.set()
        elif state == KazooState.CONNECTED and down.is_set():
            up.set()

    zk.add_listener(listener)
    print("RESTART", flush=True)
    wait(down)
    wait(up)
    assert zk.client_id == session
    # The connection may go once more: who leads is not settled when the first one comes back.
    assert zk.retry(zk.exists, path + "/mine").owner_session_id == session[0]
    assert zk.retry(zk.get, path + "/mine")[0] == b""
    zk.retry(other.set, path, b"after")
    wait(changed)
    assert zk.retry(zk.get, path)[0] == b"after"
    zk.retry(zk.create, path + "/later-", sequence=True, ephemeral=True)


SCENARIOS = [
    *[data, modes, watches, transactions, acls],
    *[locks, elections, queues, barriers, groups, restart],
]


def main():
    zk, other = connect(), connect()
    zk.ensure_path(TOP)
    for scenario in SCENARIOS:
        scenario(zk, other)
        print("ok " + scenario.__name__, flush=True)
    zk.stop()
    other.sync(TOP)
    left = other.get_children(TOP + "/restart")
    assert left == [], left
    other.stop()
    print("ok ephemerals gone with their session", flush=True)


main()
