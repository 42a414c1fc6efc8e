import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;

/**
 * Curator's framework and recipes against whatever server is named. Says "ok NAME" for each thing
 * that works, and "RESTART" when the server is to go away and come back.
 */
public final class CuratorClient {
    private static final int SESSION_TIMEOUT_MS = 10_000;
    private static final int CONNECT_TIMEOUT_MS = 20_000;
    private static final long LIMIT_S = 30;
    private static final String TOP = "/curator";

    private interface Errand {
        void run() throws Exception;
    }

    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static String hosts;
    private static boolean hasTtl;
    private static CuratorFramework one;
    private static CuratorFramework two;

    public static void main(String[] args) {
        try {
            run(args);
            System.exit(0);
        } catch (Throwable failure) {
            // Curator's threads would keep the program alive.
            failure.printStackTrace();
            System.exit(1);
        }
    }

    private static void run(String[] args) throws Exception {
        hosts = args[0];
        // A second word: a server whose extendedTypesEnabled is off.
        hasTtl = args.length < 2;
        one = connect();
        two = connect();
        say("framework", CuratorClient::framework);
        say("transactions", CuratorClient::transactions);
        say("cache", CuratorClient::cache);
        say("locks", CuratorClient::locks);
        say("leaders", CuratorClient::leaders);
        say("barriers", CuratorClient::barriers);
        say("queue and counters", CuratorClient::queueAndCounters);
        say("restart", CuratorClient::restart);
        one.close();
        two.close();
    }

    private static void say(String name, Errand errand) throws Exception {
        errand.run();
        System.out.println("ok " + name);
    }

    private static CuratorFramework connect() throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(hosts, SESSION_TIMEOUT_MS,
            CONNECT_TIMEOUT_MS, new RetryNTimes(100, 100));
        client.start();
        check(client.blockUntilConnected((int) LIMIT_S, TimeUnit.SECONDS), "not connected");
        return client;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void eventually(String what, Callable<Boolean> holds) throws Exception {
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        while (!holds.call()) {
            check(System.nanoTime() < limit, what);
            Thread.sleep(20);
        }
    }

    /** Each in a thread of its own. */
    private static void together(Errand... errands) throws Exception {
        List<Future<?>> futures = new ArrayList<>();
        for (Errand errand : errands) {
            futures.add(THREADS.submit(() -> {
                errand.run();
                return null;
            }));
        }
        for (Future<?> future : futures) {
            future.get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    private static void framework() throws Exception {
        String path = one.create().creatingParentContainersIfNeeded().withProtection()
            .withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(TOP + "/basic/p-", new byte[] {1});
        check(path.matches(TOP + "/basic/_c_.*-p-0000000000"), path);
        catchUp(two);
        check(two.checkExists().forPath(path).getEphemeralOwner() != 0, "ephemeral");
        if (hasTtl) {
            one.create().withTtl(3_600_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(TOP + "/basic/ttl");
        }
        one.create().orSetData().forPath(TOP + "/basic/data", "one".getBytes(UTF_8));
        one.create().orSetData().forPath(TOP + "/basic/data", "two".getBytes(UTF_8));
        catchUp(two);
        check(new String(two.getData().forPath(TOP + "/basic/data"), UTF_8).equals("two"), "data");
        check(two.getChildren().forPath(TOP + "/basic").size() == (hasTtl ? 3 : 2), "children");
        two.delete().guaranteed().deletingChildrenIfNeeded().forPath(TOP + "/basic");
        catchUp(one);
        check(one.checkExists().forPath(TOP + "/basic") == null, "deleted");
        CountDownLatch told = new CountDownLatch(1);
        one.create().inBackground((client, event) -> told.countDown()).forPath(TOP + "/background");
        check(told.await(LIMIT_S, TimeUnit.SECONDS), "in the background");
        one.usingNamespace("curator/space").create().forPath("/a");
        catchUp(two);
        check(two.checkExists().forPath(TOP + "/space/a") != null, "namespace");
    }

    /** What one handle was told may be news to the server of another. */
    private static void catchUp(CuratorFramework client) throws Exception {
        CountDownLatch synced = new CountDownLatch(1);
        client.sync().inBackground((same, event) -> synced.countDown()).forPath("/");
        check(synced.await(LIMIT_S, TimeUnit.SECONDS), "sync");
    }

    private static void transactions() throws Exception {
        String path = TOP + "/transaction";
        Collection<CuratorTransactionResult> results = one.transaction().forOperations(
            one.transactionOp().create().forPath(path),
            one.transactionOp().setData().forPath(path, new byte[] {1}),
            one.transactionOp().check().withVersion(1).forPath(path));
        check(results.size() == 3, "results");
        try {
            one.transaction().forOperations(
                one.transactionOp().delete().forPath(path),
                one.transactionOp().check().forPath(TOP + "/none"));
            throw new AssertionError("done, and could not be");
        } catch (KeeperException.NoNodeException expected) {
            check(one.checkExists().forPath(path) != null, "undone");
        }
    }

    private static void cache() throws Exception {
        String path = TOP + "/cached";
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        try (CuratorCache cache = CuratorCache.build(one, path)) {
            cache.listenable().addListener(CuratorCacheListener.builder()
                .forCreates(node -> events.add("+" + node.getPath()))
                .forChanges((before, after) -> events.add("=" + after.getPath()))
                .forDeletes(node -> events.add("-" + node.getPath()))
                .build());
            cache.start();
            two.create().forPath(path);
            two.create().forPath(path + "/a");
            eventually("created", () -> events.contains("+" + path + "/a"));
            two.setData().forPath(path + "/a", new byte[] {1});
            eventually("changed", () -> events.contains("=" + path + "/a"));
            two.delete().forPath(path + "/a");
            eventually("deleted", () -> events.contains("-" + path + "/a"));
        }
    }

    private static void locks() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        InterProcessMutex[] mutexes = {
            new InterProcessMutex(one, TOP + "/mutex"), new InterProcessMutex(two, TOP + "/mutex"),
        };
        Errand[] workers = new Errand[mutexes.length];
        for (int i = 0; i < mutexes.length; i++) {
            InterProcessMutex mutex = mutexes[i];
            workers[i] = () -> {
                for (int round = 0; round < 5; round++) {
                    check(mutex.acquire(LIMIT_S, TimeUnit.SECONDS), "acquired");
                    mutex.acquire();
                    check(inside.incrementAndGet() == 1, "two hold it");
                    inside.decrementAndGet();
                    mutex.release();
                    mutex.release();
                }
            };
        }
        together(workers);
        InterProcessReadWriteLock here = new InterProcessReadWriteLock(one, TOP + "/rw");
        InterProcessReadWriteLock there = new InterProcessReadWriteLock(two, TOP + "/rw");
        here.readLock().acquire();
        check(there.readLock().acquire(LIMIT_S, TimeUnit.SECONDS), "two readers");
        there.readLock().release();
        check(!there.writeLock().acquire(100, TimeUnit.MILLISECONDS), "a writer beside a reader");
        here.readLock().release();
        check(there.writeLock().acquire(LIMIT_S, TimeUnit.SECONDS), "a writer");
        there.writeLock().release();
        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(one, TOP + "/semaphore", 2);
        semaphore.acquire(2);
        check(new InterProcessSemaphoreV2(two, TOP + "/semaphore", 2)
            .acquire(100, TimeUnit.MILLISECONDS) == null, "a third lease");
    }

    private static void leaders() throws Exception {
        try (LeaderLatch second = new LeaderLatch(two, TOP + "/latch", "two")) {
            try (LeaderLatch first = new LeaderLatch(one, TOP + "/latch", "one")) {
                first.start();
                check(first.await(LIMIT_S, TimeUnit.SECONDS), "a leader");
                second.start();
                eventually("both are there", () -> first.getParticipants().size() == 2);
                check(!second.hasLeadership() && second.getLeader().getId().equals("one"), "one leader");
            }
            check(second.await(LIMIT_S, TimeUnit.SECONDS), "the next leader");
        }
        CountDownLatch led = new CountDownLatch(2);
        List<LeaderSelector> selectors = new ArrayList<>();
        for (CuratorFramework client : new CuratorFramework[] {one, two}) {
            LeaderSelector selector = new LeaderSelector(client, TOP + "/selector",
                new LeaderSelectorListenerAdapter() {
                    @Override
                    public void takeLeadership(CuratorFramework leader) {
                        led.countDown();
                    }
                });
            selector.start();
            selectors.add(selector);
        }
        check(led.await(LIMIT_S, TimeUnit.SECONDS), "each led");
        selectors.forEach(LeaderSelector::close);
        try (GroupMember a = new GroupMember(one, TOP + "/group", "a");
            GroupMember b = new GroupMember(two, TOP + "/group", "b")) {
            a.start();
            b.start();
            eventually("a group of two", () -> a.getCurrentMembers().size() == 2);
        }
    }

    private static void barriers() throws Exception {
        DistributedBarrier barrier = new DistributedBarrier(one, TOP + "/barrier");
        barrier.setBarrier();
        catchUp(two);
        check(!new DistributedBarrier(two, TOP + "/barrier").waitOnBarrier(50, TimeUnit.MILLISECONDS), "set");
        together(
            () -> check(new DistributedBarrier(two, TOP + "/barrier")
                .waitOnBarrier(LIMIT_S, TimeUnit.SECONDS), "lifted"),
            barrier::removeBarrier);
        DistributedDoubleBarrier first = new DistributedDoubleBarrier(one, TOP + "/double", 2);
        DistributedDoubleBarrier second = new DistributedDoubleBarrier(two, TOP + "/double", 2);
        // Curator counts the nodes after it made its own: who enters late never sees the first, when
        // that one has left again by then.
        CyclicBarrier both = new CyclicBarrier(2);
        together(() -> enterAndLeave(first, both), () -> enterAndLeave(second, both));
    }

    private static void enterAndLeave(DistributedDoubleBarrier mine, CyclicBarrier both) throws Exception {
        check(mine.enter(LIMIT_S, TimeUnit.SECONDS), "entered");
        both.await(LIMIT_S, TimeUnit.SECONDS);
        check(mine.leave(LIMIT_S, TimeUnit.SECONDS), "left");
    }

    private static void queueAndCounters() throws Exception {
        SimpleDistributedQueue in = new SimpleDistributedQueue(one, TOP + "/queue");
        SimpleDistributedQueue out = new SimpleDistributedQueue(two, TOP + "/queue");
        for (byte item = 0; item < 3; item++) {
            in.offer(new byte[] {item});
        }
        for (byte item = 0; item < 3; item++) {
            check(out.take()[0] == item, "order");
        }
        DistributedAtomicLong[] longs = {
            new DistributedAtomicLong(one, TOP + "/long", new RetryNTimes(100, 5)),
            new DistributedAtomicLong(two, TOP + "/long", new RetryNTimes(100, 5)),
        };
        Errand[] adders = new Errand[longs.length];
        for (int i = 0; i < longs.length; i++) {
            DistributedAtomicLong number = longs[i];
            adders[i] = () -> {
                for (int round = 0; round < 5; round++) {
                    check(number.increment().succeeded(), "incremented");
                }
            };
        }
        together(adders);
        catchUp(one);
        check(longs[0].get().postValue() == 10, "sum");
        try (SharedCount mine = new SharedCount(one, TOP + "/count", 0);
            SharedCount theirs = new SharedCount(two, TOP + "/count", 0)) {
            mine.start();
            theirs.start();
            mine.setCount(7);
            eventually("the count arrives", () -> theirs.getCount() == 7);
        }
    }

    private static void restart() throws Exception {
        PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, TOP + "/present", new byte[0]);
        node.start();
        check(node.waitForInitialCreate(LIMIT_S, TimeUnit.SECONDS), "present");
        InterProcessMutex held = new InterProcessMutex(one, TOP + "/held");
        held.acquire();
        long session = one.getZookeeperClient().getZooKeeper().getSessionId();
        CountDownLatch suspended = new CountDownLatch(1);
        CountDownLatch reconnected = new CountDownLatch(1);
        one.getConnectionStateListenable().addListener((client, state) -> {
            if (state == ConnectionState.SUSPENDED) {
                suspended.countDown();
            } else if (state == ConnectionState.RECONNECTED) {
                reconnected.countDown();
            }
        });
        System.out.println("RESTART");
        check(suspended.await(LIMIT_S, TimeUnit.SECONDS), "suspended");
        check(reconnected.await(LIMIT_S, TimeUnit.SECONDS), "reconnected");
        check(one.getZookeeperClient().getZooKeeper().getSessionId() == session, "another session");
        catchUp(two);
        check(two.checkExists().forPath(TOP + "/present").getEphemeralOwner() == session, "owner");
        check(!new InterProcessMutex(two, TOP + "/held").acquire(100, TimeUnit.MILLISECONDS), "not held");
        held.release();
        check(new InterProcessMutex(two, TOP + "/held").acquire(LIMIT_S, TimeUnit.SECONDS), "free");
        node.close();
    }
}
