import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.recipes.lock.LockListener;
import org.apache.zookeeper.recipes.lock.WriteLock;
import org.apache.zookeeper.recipes.queue.DistributedQueue;

/**
 * Apache's own Java client and its recipes against whatever server is named. Says "ok NAME" for
 * each thing that works, and "RESTART" when the server is to go away and come back.
 */
public final class JavaClient {
    private static final int SESSION_TIMEOUT_MS = 10_000;
    private static final long LIMIT_S = 30;
    private static final long HOUR_MS = 3_600_000L;
    private static final String TOP = "/java";

    private interface Errand {
        void run() throws Exception;
    }

    /** The events of a handle or of a watch, one after the other. */
    private static final class Events implements Watcher {
        private final BlockingQueue<WatchedEvent> queue = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            queue.add(event);
        }

        void expect(EventType type, String path) throws Exception {
            for (;;) {
                WatchedEvent event = queue.poll(LIMIT_S, TimeUnit.SECONDS);
                check(event != null, "no " + type + " of " + path);
                // Of the session: they come to every watcher.
                if (event.getType() == EventType.None) {
                    continue;
                }
                check(event.getType() == type && path.equals(event.getPath()), event + " for " + type);
                return;
            }
        }

        void expect(KeeperState state) throws Exception {
            for (;;) {
                WatchedEvent event = queue.poll(LIMIT_S, TimeUnit.SECONDS);
                check(event != null, "never " + state);
                if (event.getType() == EventType.None && event.getState() == state) {
                    return;
                }
            }
        }
    }

    private static String hosts;
    private static Events session;
    private static ZooKeeper zk;
    private static ZooKeeper other;

    public static void main(String[] args) {
        try {
            run(args);
            System.exit(0);
        } catch (Throwable failure) {
            // Other threads would keep the program alive.
            failure.printStackTrace();
            System.exit(1);
        }
    }

    private static void run(String[] args) throws Exception {
        hosts = args[0];
        session = new Events();
        zk = connect(session);
        other = connect(new Events());
        zk.create(TOP, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        say("modes", JavaClient::modes);
        say("data", JavaClient::data);
        say("multi", JavaClient::multi);
        say("watches", JavaClient::watches);
        say("acls", JavaClient::acls);
        say("sessions", JavaClient::sessions);
        say("lock recipe", JavaClient::lockRecipe);
        say("queue recipe", JavaClient::queueRecipe);
        say("restart", JavaClient::restart);
        zk.close();
        catchUp(other);
        check(other.getChildren(TOP + "/restart", false).isEmpty(), "ephemerals are left");
        other.close();
        System.out.println("ok ephemerals gone with their session");
    }

    private static void say(String name, Errand errand) throws Exception {
        errand.run();
        System.out.println("ok " + name);
    }

    private static ZooKeeper connect(Events events) throws Exception {
        return connect(hosts, events);
    }

    private static ZooKeeper connect(String to, Events events) throws Exception {
        ZooKeeper handle = new ZooKeeper(to, SESSION_TIMEOUT_MS, events);
        events.expect(KeeperState.SyncConnected);
        return handle;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void refused(Code code, Errand errand) throws Exception {
        try {
            errand.run();
        } catch (KeeperException refusal) {
            check(refusal.code() == code, refusal + " for " + code);
            return;
        }
        throw new AssertionError("not refused with " + code);
    }

    private static String create(String path, CreateMode mode) throws Exception {
        return zk.create(path, path.getBytes(UTF_8), Ids.OPEN_ACL_UNSAFE, mode);
    }

    private static void modes() throws Exception {
        String path = create(TOP + "/modes", CreateMode.PERSISTENT);
        check(create(path + "/s-", CreateMode.PERSISTENT_SEQUENTIAL).equals(path + "/s-0000000000"), "s");
        create(path + "/e", CreateMode.EPHEMERAL);
        check(create(path + "/e-", CreateMode.EPHEMERAL_SEQUENTIAL).equals(path + "/e-0000000002"), "e");
        create(path + "/c", CreateMode.CONTAINER);
        Stat stat = new Stat();
        zk.create(path + "/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, HOUR_MS);
        check(stat.getEphemeralOwner() == 0 && stat.getCzxid() == stat.getPzxid(), "stat of a TTL node");
        zk.create(path + "/ts-", null, Ids.OPEN_ACL_UNSAFE,
            CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, HOUR_MS);
        check(zk.exists(path + "/ts-0000000005", false) != null, "sequential TTL node");
        check(zk.getEphemerals(path).size() == 2, "ephemerals");
        check(zk.getAllChildrenNumber(path) == 6, "all children");
        catchUp(other);
        check(other.exists(path + "/e", false).getEphemeralOwner() == zk.getSessionId(), "owner");
        refused(Code.NOCHILDRENFOREPHEMERALS, () -> create(path + "/e/below", CreateMode.PERSISTENT));
        refused(Code.NODEEXISTS, () -> create(path, CreateMode.PERSISTENT));
        refused(Code.NONODE, () -> create(path + "/no/parent", CreateMode.PERSISTENT));
    }

    private static void data() throws Exception {
        String path = create(TOP + "/data-\u6591\u9a6c", CreateMode.PERSISTENT);
        Stat stat = zk.setData(path, "two".getBytes(UTF_8), 0);
        check(stat.getVersion() == 1 && stat.getDataLength() == 3, "stat");
        check(new String(zk.getData(path, false, stat), UTF_8).equals("two"), "data");
        zk.setData(path, null, 1);
        check(zk.getData(path, false, stat) == null, "null");
        refused(Code.BADVERSION, () -> zk.setData(path, null, 1));
        create(path + "/child", CreateMode.PERSISTENT);
        check(zk.getChildren(path, false, stat).equals(Arrays.asList("child")), "children");
        check(stat.getNumChildren() == 1 && stat.getCversion() == 1, "stat of the parent");
        refused(Code.NOTEMPTY, () -> zk.delete(path, -1));
        zk.delete(path + "/child", 0);
        zk.delete(path, -1);
        refused(Code.NONODE, () -> zk.getData(path, false, null));
        check(zk.exists(path, false) == null, "gone");
        check(new String(zk.getConfig(false, stat), UTF_8) != null, "config");
    }

    /** What one handle was told may be news to the server of another. */
    private static void catchUp(ZooKeeper handle) throws Exception {
        CountDownLatch synced = new CountDownLatch(1);
        handle.sync(TOP, (rc, path, context) -> synced.countDown(), null);
        check(synced.await(LIMIT_S, TimeUnit.SECONDS), "sync");
    }

    private static void multi() throws Exception {
        String path = TOP + "/multi";
        List<OpResult> results = zk.multi(Arrays.asList(
            Op.create(path, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.create(path + "/s-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL),
            Op.create(path + "/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, HOUR_MS),
            Op.create(path + "/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
            Op.setData(path, new byte[] {1}, 0),
            Op.check(path, 1),
            Op.delete(path + "/t", -1)));
        String made = ((OpResult.CreateResult) results.get(1)).getPath();
        check(made.equals(path + "/s-0000000000"), made);
        check(((OpResult.SetDataResult) results.get(4)).getStat().getVersion() == 1, "stat");
        try {
            zk.multi(Arrays.asList(
                Op.delete(path + "/c", -1),
                Op.check(path, 7),
                Op.delete(path, -1)));
            throw new AssertionError("a multi that cannot be done was done");
        } catch (KeeperException.BadVersionException expected) {
            List<Integer> codes = new ArrayList<>();
            for (OpResult result : expected.getResults()) {
                codes.add(((OpResult.ErrorResult) result).getErr());
            }
            check(codes.equals(Arrays.asList(0, Code.BADVERSION.intValue(), -2)), codes.toString());
        }
        check(zk.exists(path + "/c", false) != null, "undone");
        results = zk.multi(Arrays.asList(Op.getData(path), Op.getChildren(TOP + "/none"), Op.getChildren(path)));
        check(((OpResult.GetDataResult) results.get(0)).getData()[0] == 1, "read");
        check(((OpResult.ErrorResult) results.get(1)).getErr() == Code.NONODE.intValue(), "read of none");
        check(((OpResult.GetChildrenResult) results.get(2)).getChildren().size() == 2, "read of children");
        zk.transaction().check(path, 1).setData(path, null, 1).commit();
    }

    private static void watches() throws Exception {
        String path = TOP + "/watched";
        Events once = new Events();
        check(zk.exists(path, once) == null, "not there yet");
        create(path, CreateMode.PERSISTENT);
        once.expect(EventType.NodeCreated, path);
        zk.getData(path, once, null);
        other.setData(path, null, -1);
        once.expect(EventType.NodeDataChanged, path);
        zk.getChildren(path, once);
        create(path + "/a", CreateMode.PERSISTENT);
        once.expect(EventType.NodeChildrenChanged, path);
        zk.exists(path + "/a", once);
        other.delete(path + "/a", -1);
        once.expect(EventType.NodeDeleted, path + "/a");
        Events persistent = new Events();
        zk.addWatch(path, persistent, AddWatchMode.PERSISTENT);
        String below = create(path + "/b", CreateMode.PERSISTENT);
        other.setData(path, null, -1);
        persistent.expect(EventType.NodeChildrenChanged, path);
        persistent.expect(EventType.NodeDataChanged, path);
        Events recursive = new Events();
        zk.addWatch(below, recursive, AddWatchMode.PERSISTENT_RECURSIVE);
        create(below + "/c", CreateMode.PERSISTENT);
        create(below + "/c/d", CreateMode.PERSISTENT);
        other.setData(below, null, -1);
        other.delete(below + "/c/d", -1);
        recursive.expect(EventType.NodeCreated, below + "/c");
        recursive.expect(EventType.NodeCreated, below + "/c/d");
        recursive.expect(EventType.NodeDataChanged, below);
        recursive.expect(EventType.NodeDeleted, below + "/c/d");
        zk.removeWatches(below, recursive, Watcher.WatcherType.Any, false);
        recursive.expect(EventType.PersistentWatchRemoved, below);
        zk.removeWatches(path, persistent, Watcher.WatcherType.Any, false);
        persistent.expect(EventType.PersistentWatchRemoved, path);
        refused(Code.NOWATCHER, () -> zk.removeAllWatches(path, Watcher.WatcherType.Any, false));
    }

    private static void acls() throws Exception {
        String path = TOP + "/acl";
        zk.addAuthInfo("digest", "ann:secret".getBytes(UTF_8));
        zk.create(path, new byte[] {1}, Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        check(zk.getACL(path, new Stat()).get(0).getId().getId().startsWith("ann:"), "id");
        check(zk.whoAmI().stream().anyMatch(who -> who.getUser().equals("ann")), "whoAmI");
        catchUp(other);
        refused(Code.NOAUTH, () -> other.getData(path, false, null));
        refused(Code.NOAUTH, () -> other.setACL(path, Ids.OPEN_ACL_UNSAFE, -1));
        refused(Code.INVALIDACL, () -> other.create(path + "2", null, Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
        other.addAuthInfo("digest", "ann:secret".getBytes(UTF_8));
        check(other.getData(path, false, null)[0] == 1, "with authentication");
        check(other.setACL(path, Ids.READ_ACL_UNSAFE, 0).getAversion() == 1, "aversion");
        refused(Code.NOAUTH, () -> other.setData(path, null, -1));
    }

    private static void sessions() throws Exception {
        Events events = new Events();
        ZooKeeper passing = connect(events);
        String path = TOP + "/passing";
        passing.create(path, null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        // Whoever has id and password goes on with the session; the handle before it is cut off.
        Events taken = new Events();
        ZooKeeper heir = new ZooKeeper(hosts, SESSION_TIMEOUT_MS, taken,
            passing.getSessionId(), passing.getSessionPasswd());
        taken.expect(KeeperState.SyncConnected);
        // It would come back by itself, and take the session from its heir.
        passing.getTestable().injectSessionExpiration();
        check(heir.getSessionId() == passing.getSessionId(), "same session");
        Events gone = new Events();
        catchUp(other);
        check(other.exists(path, gone) != null, "there");
        heir.close();
        gone.expect(EventType.NodeDeleted, path);
        Events strange = new Events();
        new ZooKeeper(hosts, SESSION_TIMEOUT_MS, strange, 0x1234567L, new byte[16]);
        strange.expect(KeeperState.Expired);
        ZooKeeper inside = connect(hosts + TOP, new Events());
        inside.create("/inside", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        catchUp(zk);
        check(zk.exists(TOP + "/inside", false) != null, "chroot");
        inside.close();
    }

    private static void lockRecipe() throws Exception {
        String path = TOP + "/lock";
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        WriteLock mine = new WriteLock(zk, path, Ids.OPEN_ACL_UNSAFE, listener(first));
        WriteLock theirs = new WriteLock(other, path, Ids.OPEN_ACL_UNSAFE, listener(second));
        mine.lock();
        check(first.await(LIMIT_S, TimeUnit.SECONDS) && mine.isOwner(), "first");
        check(!theirs.lock() && second.getCount() == 1, "only one");
        mine.unlock();
        check(second.await(LIMIT_S, TimeUnit.SECONDS), "second");
        theirs.unlock();
    }

    private static LockListener listener(CountDownLatch acquired) {
        return new LockListener() {
            @Override
            public void lockAcquired() {
                acquired.countDown();
            }

            @Override
            public void lockReleased() {
            }
        };
    }

    private static void queueRecipe() throws Exception {
        DistributedQueue in = new DistributedQueue(zk, TOP + "/queue", Ids.OPEN_ACL_UNSAFE);
        DistributedQueue out = new DistributedQueue(other, TOP + "/queue", Ids.OPEN_ACL_UNSAFE);
        for (byte item = 0; item < 5; item++) {
            in.offer(new byte[] {item});
        }
        for (byte item = 0; item < 5; item++) {
            check(out.take()[0] == item, "order");
        }
        check(out.poll() == null, "empty");
    }

    private static void restart() throws Exception {
        String path = create(TOP + "/restart", CreateMode.PERSISTENT);
        create(path + "/mine", CreateMode.EPHEMERAL);
        Events data = new Events();
        Events children = new Events();
        Events created = new Events();
        Events recursive = new Events();
        zk.getData(path, data, null);
        zk.getChildren(path, children);
        zk.exists(path + "/later", created);
        zk.addWatch(path, recursive, AddWatchMode.PERSISTENT_RECURSIVE);
        final long id = zk.getSessionId();
        System.out.println("RESTART");
        session.expect(KeeperState.Disconnected);
        session.expect(KeeperState.SyncConnected);
        check(zk.getSessionId() == id, "another session");
        check(untilConnected(() -> zk.exists(path + "/mine", false)).getEphemeralOwner() == id, "ephemeral");
        untilConnected(() -> other.setData(path, null, -1));
        data.expect(EventType.NodeDataChanged, path);
        untilConnected(() -> other.create(path + "/later", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL));
        children.expect(EventType.NodeChildrenChanged, path);
        created.expect(EventType.NodeCreated, path + "/later");
        recursive.expect(EventType.NodeDataChanged, path);
        recursive.expect(EventType.NodeCreated, path + "/later");
        untilConnected(() -> {
            other.delete(path + "/later", -1);
            return null;
        });
    }

    /** A call whose outcome a lost connection leaves open is made again; here that does no harm. */
    private static <T> T untilConnected(Callable<T> call) throws Exception {
        for (;;) {
            try {
                return call.call();
            } catch (KeeperException.ConnectionLossException lost) {
                Thread.sleep(100);
            } catch (KeeperException.NodeExistsException | KeeperException.NoNodeException done) {
                return null;
            }
        }
    }
}
