import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/**
 * Apache's own Java client on errands for record.ts, which records what passes between it and a
 * server. Lines on standard output talk to record.ts: "DROP" asks it to cut the connection.
 */
public final class ApacheClient {
    private static final List<ACL> OPEN = ZooDefs.Ids.OPEN_ACL_UNSAFE;
    private static final int TIMEOUT_MS = 10_000;

    private interface Errand {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "constants":
                printConstants();
                break;
            case "operations":
                operations(args[1]);
                break;
            case "ensemble":
                ensemble(args[1], args[2]);
                break;
            case "write":
                write(args[1], args[2], Integer.parseInt(args[3]));
                break;
            case "reconfig":
                reconfig(args[1], args[2]);
                break;
            default:
                throw new IllegalArgumentException(args[0]);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static ZooKeeper connect(String hosts, Watcher watcher) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper zk = new ZooKeeper(hosts, TIMEOUT_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
            watcher.process(event);
        });
        connected.await();
        return zk;
    }

    /** Runs an errand that must fail with an error of the server. */
    private static void fails(Errand errand) throws Exception {
        try {
            errand.run();
        } catch (KeeperException expected) {
            return;
        }
        throw new IllegalStateException("did not fail");
    }

    private static void operations(String hosts) throws Exception {
        Semaphore connections = new Semaphore(0);
        ZooKeeper zk = connect(hosts, event -> {
            if (event.getType() == Watcher.Event.EventType.None
                && event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connections.release();
            }
        });
        connections.acquire();
        creates(zk);
        readsAndWrites(zk);
        multis(zk);
        watches(zk, connections);
        zk.addAuthInfo("digest", bytes("zabra:secret"));
        zk.whoAmI();
        zk.create("/private", bytes("x"), ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        zk.getACL("/private", new Stat());
        zk.getEphemerals();
        zk.getEphemerals("/e");
        zk.getAllChildrenNumber("/");
        zk.close();
        ZooKeeper wrongAuth = connect(hosts, event -> { });
        fails(() -> wrongAuth.getData("/private", false, null));
        wrongAuth.addAuthInfo("nosuchscheme", bytes("x"));
        fails(() -> wrongAuth.getData("/private", false, null));
        wrongAuth.close();
        expired(hosts);
    }

    private static void creates(ZooKeeper zk) throws Exception {
        zk.create("/p", bytes("data"), OPEN, CreateMode.PERSISTENT);
        zk.create("/null", null, OPEN, CreateMode.PERSISTENT);
        zk.create("/empty", new byte[0], OPEN, CreateMode.PERSISTENT);
        zk.create("/e", bytes("e"), OPEN, CreateMode.EPHEMERAL);
        zk.create("/p/s-", bytes("s"), OPEN, CreateMode.PERSISTENT_SEQUENTIAL);
        zk.create("/p/es-", bytes("es"), OPEN, CreateMode.EPHEMERAL_SEQUENTIAL);
        zk.create("/c", bytes("c"), OPEN, CreateMode.CONTAINER);
        zk.create("/c2", bytes("c"), OPEN, CreateMode.CONTAINER, new Stat());
        zk.create("/t", bytes("t"), OPEN, CreateMode.PERSISTENT_WITH_TTL, new Stat(), 3_600_000L);
        zk.create("/ts-", null, OPEN, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, new Stat(), 1L << 39);
        zk.create("/stat", bytes("x"), OPEN, CreateMode.PERSISTENT, new Stat());
        zk.create("/\u8282\u70b9-\u00e9", bytes("\u6570\u636e \ud83d\ude00"), OPEN, CreateMode.PERSISTENT);
        List<ACL> several = Arrays.asList(
            new ACL(ZooDefs.Perms.READ | ZooDefs.Perms.WRITE, new Id("digest", "u:k0D6Dy6JdLbmSsmrcWT/XJJcZlM=")),
            new ACL(ZooDefs.Perms.ALL, new Id("ip", "127.0.0.0/8")));
        zk.create("/acl", bytes("x"), several, CreateMode.PERSISTENT);
        fails(() -> zk.create("/p", null, OPEN, CreateMode.PERSISTENT));
        fails(() -> zk.create("/no/parent", null, OPEN, CreateMode.PERSISTENT));
        fails(() -> zk.create("/e/child", null, OPEN, CreateMode.PERSISTENT));
        fails(() -> zk.create("/bad", null, new ArrayList<>(), CreateMode.PERSISTENT));
        // A pair of surrogates in a string goes out as CESU-8; the server reads it as malformed UTF-8.
        Id cesu8 = new Id("digest", "\ud83d\ude00:k0D6Dy6JdLbmSsmrcWT/XJJcZlM=");
        zk.create("/cesu8", null, Arrays.asList(new ACL(ZooDefs.Perms.ALL, cesu8)), CreateMode.PERSISTENT);
        fails(() -> zk.getACL("/cesu8", new Stat()));
    }

    private static void readsAndWrites(ZooKeeper zk) throws Exception {
        Stat stat = new Stat();
        zk.getData("/p", false, stat);
        zk.getData("/null", false, stat);
        zk.getData("/empty", false, stat);
        zk.getData("/t", false, stat);
        zk.exists("/e", false);
        zk.exists("/nothing", false);
        zk.getChildren("/", false);
        zk.getChildren("/empty", false);
        zk.getChildren("/p", false, stat);
        zk.setData("/p", bytes("second"), 0);
        zk.setData("/p", null, -1);
        fails(() -> zk.setData("/p", bytes("x"), 7));
        fails(() -> zk.setData("/nothing", bytes("x"), -1));
        zk.getACL("/acl", stat);
        zk.setACL("/stat", ZooDefs.Ids.READ_ACL_UNSAFE, 0);
        fails(() -> zk.setData("/stat", bytes("x"), -1));
        fails(() -> zk.setACL("/stat", OPEN, -1));
    }

    private static void multis(ZooKeeper zk) throws Exception {
        zk.multi(Arrays.asList(
            Op.create("/m", bytes("m"), OPEN, CreateMode.PERSISTENT),
            Op.create("/m/s-", null, OPEN, CreateMode.EPHEMERAL_SEQUENTIAL),
            Op.create("/m/c", bytes("c"), OPEN, CreateMode.CONTAINER),
            Op.create("/m/t", bytes("t"), OPEN, CreateMode.PERSISTENT_WITH_TTL, 3_600_000L),
            Op.setData("/m", bytes("m2"), 0),
            Op.check("/m", 1),
            Op.delete("/m/c", -1)));
        fails(() -> zk.multi(Arrays.asList(
            Op.check("/m", -1),
            Op.create("/m/never", null, OPEN, CreateMode.PERSISTENT),
            Op.delete("/nothing", -1),
            Op.setData("/m", null, -1))));
        zk.multi(new ArrayList<>());
        zk.multi(Arrays.asList(
            Op.getData("/m"), Op.getChildren("/m"), Op.getData("/nothing"), Op.getChildren("/nothing")));
    }

    private static void watches(ZooKeeper zk, Semaphore connections) throws Exception {
        Watcher silent = event -> { };
        zk.exists("/w", silent);
        zk.create("/w", bytes("w"), OPEN, CreateMode.PERSISTENT);
        zk.getData("/w", silent, null);
        zk.setData("/w", bytes("w2"), -1);
        zk.getChildren("/w", silent);
        zk.create("/w/child", null, OPEN, CreateMode.PERSISTENT);
        zk.exists("/w/child", silent);
        zk.delete("/w/child", -1);
        fails(() -> zk.delete("/p", -1));
        zk.addWatch("/w", silent, AddWatchMode.PERSISTENT);
        zk.addWatch("/p", silent, AddWatchMode.PERSISTENT_RECURSIVE);
        zk.create("/p/deep", null, OPEN, CreateMode.PERSISTENT);
        zk.getData("/m", silent, null);
        zk.exists("/later", silent);
        zk.getChildren("/c", silent);
        System.out.println("DROP");
        connections.acquire();
        zk.getData("/p", false, null);
        zk.removeWatches("/m", silent, Watcher.WatcherType.Data, false);
        zk.removeAllWatches("/c", Watcher.WatcherType.Any, false);
        fails(() -> zk.removeAllWatches("/stat", Watcher.WatcherType.Any, false));
        CountDownLatch synced = new CountDownLatch(1);
        zk.sync("/p", (rc, path, context) -> synced.countDown(), null);
        synced.await();
        zk.getConfig(false, new Stat());
        zk.delete("/w", 1);
        // Longer than a third of the session's time-out: the client pings.
        Thread.sleep(TIMEOUT_MS / 3 + 1_000);
    }

    private static void expired(String hosts) throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        new ZooKeeper(hosts, TIMEOUT_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.Expired) {
                told.countDown();
            }
        }, 0x1234567L, new byte[16]);
        told.await();
    }

    /** A session that lives on one follower, then moves to another server. */
    private static void ensemble(String first, String second) throws Exception {
        ZooKeeper zk = connect(first, event -> { });
        zk.create("/quorum", bytes("q"), OPEN, CreateMode.PERSISTENT);
        zk.create("/quorum/e-", bytes("e"), OPEN, CreateMode.EPHEMERAL_SEQUENTIAL);
        zk.setData("/quorum", bytes("q2"), 0);
        zk.setACL("/quorum", OPEN, 0);
        fails(() -> zk.delete("/nothing", -1));
        zk.multi(Arrays.asList(
            Op.create("/quorum/m", null, OPEN, CreateMode.PERSISTENT), Op.check("/quorum", -1)));
        fails(() -> zk.multi(Arrays.asList(
            Op.create("/quorum/n", null, OPEN, CreateMode.PERSISTENT), Op.check("/quorum", 99))));
        zk.create("/quorum/stat", null, OPEN, CreateMode.PERSISTENT, new Stat());
        zk.create("/quorum/c", null, OPEN, CreateMode.CONTAINER, new Stat());
        zk.create("/quorum/t", null, OPEN, CreateMode.PERSISTENT_WITH_TTL, new Stat(), 3_600_000L);
        zk.delete("/quorum/c", -1);
        CountDownLatch synced = new CountDownLatch(1);
        zk.sync("/quorum", (rc, path, context) -> synced.countDown(), null);
        synced.await();
        CountDownLatch moved = new CountDownLatch(1);
        ZooKeeper again = new ZooKeeper(second, TIMEOUT_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                moved.countDown();
            }
        }, zk.getSessionId(), zk.getSessionPasswd());
        moved.await();
        again.getData("/quorum", false, null);
        Thread.sleep(3_000);
        again.close();
        CountDownLatch refused = new CountDownLatch(1);
        new ZooKeeper(second, TIMEOUT_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.Expired) {
                refused.countDown();
            }
        }, 0x1234567L, new byte[16]);
        refused.await();
        System.exit(0);
    }

    private static void write(String hosts, String prefix, int count) throws Exception {
        ZooKeeper zk = connect(hosts, event -> { });
        for (int i = 0; i < count; i++) {
            zk.create(prefix + i, bytes(prefix), OPEN, CreateMode.PERSISTENT);
        }
        zk.close();
    }

    private static void reconfig(String hosts, String joining) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeperAdmin admin = new ZooKeeperAdmin(hosts, TIMEOUT_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        connected.await();
        fails(() -> admin.reconfigure((String) null, "7", null, 0x77L, new Stat()));
        admin.reconfigure(joining, null, null, -1, new Stat());
        admin.getConfig(false, new Stat());
        admin.close();
    }

    private static void printConstants() throws Exception {
        StringBuilder json = new StringBuilder("{\"opCodes\":{");
        json.append(ints(ZooDefs.OpCode.class)).append("},\"perms\":{").append(ints(ZooDefs.Perms.class));
        json.append("},\"errors\":{");
        List<String> items = new ArrayList<>();
        for (KeeperException.Code code : KeeperException.Code.values()) {
            String message;
            try {
                message = quote(KeeperException.create(code).getMessage());
            } catch (IllegalArgumentException none) {
                message = "null";
            }
            items.add(quote(code.name()) + ":[" + code.intValue() + "," + message + "]");
        }
        json.append(String.join(",", items)).append("},\"createModes\":{");
        items.clear();
        for (CreateMode mode : CreateMode.values()) {
            items.add(quote(mode.name()) + ":[" + mode.toFlag() + "," + mode.isEphemeral() + ","
                + mode.isSequential() + "," + mode.isContainer() + "," + mode.isTTL() + "]");
        }
        json.append(String.join(",", items)).append("},\"eventTypes\":{");
        items.clear();
        for (Watcher.Event.EventType type : Watcher.Event.EventType.values()) {
            items.add(quote(type.name()) + ":" + type.getIntValue());
        }
        json.append(String.join(",", items)).append("},\"keeperStates\":{");
        items.clear();
        for (Watcher.Event.KeeperState state : Watcher.Event.KeeperState.values()) {
            items.add(quote(state.name()) + ":" + state.getIntValue());
        }
        json.append(String.join(",", items)).append("},\"watcherTypes\":{");
        items.clear();
        for (Watcher.WatcherType type : Watcher.WatcherType.values()) {
            items.add(quote(type.name()) + ":" + type.getIntValue());
        }
        json.append(String.join(",", items)).append("},\"addWatchModes\":{");
        items.clear();
        for (AddWatchMode mode : AddWatchMode.values()) {
            items.add(quote(mode.name()) + ":" + mode.getMode());
        }
        json.append(String.join(",", items)).append("},\"packets\":{");
        json.append(ints(Class.forName("org.apache.zookeeper.server.quorum.Leader")));
        System.out.println(json.append("}}"));
    }

    private static String ints(Class<?> type) throws Exception {
        List<String> items = new ArrayList<>();
        for (Field field : type.getDeclaredFields()) {
            if (field.getType() == int.class && Modifier.isStatic(field.getModifiers())
                && Modifier.isFinal(field.getModifiers())) {
                field.setAccessible(true);
                items.add(quote(field.getName()) + ":" + field.getInt(null));
            }
        }
        return String.join(",", items);
    }

    private static String quote(String text) {
        return "\"" + text.replace("\"", "\\\"") + "\"";
    }
}
