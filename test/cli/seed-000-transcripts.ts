// What the terminals of the session showed, without the lines of the logger.

export const MACHINE_1 = `
Connecting to localhost:2181
Welcome to ZooKeeper!
JLine support is enabled

WATCHER::

WatchedEvent state:SyncConnected type:None path:null
[zk: localhost:2181(CONNECTED) 0] ls /
[zookeeper]
[zk: localhost:2181(CONNECTED) 1] create -e /master "master1.example.com:2223"
Created /master
[zk: localhost:2181(CONNECTED) 2] ls /
[zookeeper, master]
[zk: localhost:2181(CONNECTED) 3] get /master
master1.example.com:2223
cZxid = 0x1000005e1
ctime = Thu May 09 20:11:06 CST 2019
mZxid = 0x1000005e1
mtime = Thu May 09 20:11:06 CST 2019
pZxid = 0x1000005e1
cversion = 0
dataVersion = 0
aclVersion = 0
ephemeralOwner = 0x2042db0dea60035
dataLength = 24
numChildren = 0
[zk: localhost:2181(CONNECTED) 4]
`

export const MACHINE_1_AGAIN = `
Connecting to localhost:2181
Welcome to ZooKeeper!
JLine support is enabled

WATCHER::

WatchedEvent state:SyncConnected type:None path:null
[zk: localhost:2181(CONNECTED) 0] ls /
[zookeeper, master, workers, tasks, assign]
[zk: localhost:2181(CONNECTED) 1] create -e /workers/worker1.example.com "worker1.example.com:2224"
Created /workers/worker1.example.com
[zk: localhost:2181(CONNECTED) 2] create /assign/worker1.example.com ""
Created /assign/worker1.example.com
[zk: localhost:2181(CONNECTED) 3] ls /assign/worker1.example.com true
[]
[zk: localhost:2181(CONNECTED) 4]
WATCHER::

WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/assign/worker1.example.com

[zk: localhost:2181(CONNECTED) 4] ls /assign/worker1.example.com
[task-0000000000]
[zk: localhost:2181(CONNECTED) 5] create /tasks/task-0000000000/status "done"
Created /tasks/task-0000000000/status
[zk: localhost:2181(CONNECTED) 6]
`

export const MACHINE_2 = `
Connecting to localhost:2181
Welcome to ZooKeeper!
JLine support is enabled

WATCHER::

WatchedEvent state:SyncConnected type:None path:null
[zk: localhost:2181(CONNECTED) 0] ls /
[zookeeper, master]
[zk: localhost:2181(CONNECTED) 1] create -e /master "master2.example.com:2223"
Node already exists: /master
[zk: localhost:2181(CONNECTED) 2] stat /master true
cZxid = 0x1000005e1
ctime = Thu May 09 20:11:06 CST 2019
mZxid = 0x1000005e1
mtime = Thu May 09 20:11:06 CST 2019
pZxid = 0x1000005e1
cversion = 0
dataVersion = 0
aclVersion = 0
ephemeralOwner = 0x2042db0dea60035
dataLength = 24
numChildren = 0
[zk: localhost:2181(CONNECTED) 3]
[zk: localhost:2181(CONNECTED) 3]
WATCHER::

WatchedEvent state:SyncConnected type:NodeDeleted path:/master

[zk: localhost:2181(CONNECTED) 3] ls /
[zookeeper]
[zk: localhost:2181(CONNECTED) 4] create -e /master "master2.example.com:2223"
Created /master
[zk: localhost:2181(CONNECTED) 5] create /workers ""
Created /workers
[zk: localhost:2181(CONNECTED) 6] create /tasks ""
Created /tasks
[zk: localhost:2181(CONNECTED) 7] create /assign ""
Created /assign
[zk: localhost:2181(CONNECTED) 8] ls /
[zookeeper, master, workers, tasks, assign]
[zk: localhost:2181(CONNECTED) 9] ls /workers true
[]
[zk: localhost:2181(CONNECTED) 10] ls /tasks true
[]
[zk: localhost:2181(CONNECTED) 11]
WATCHER::

WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/workers

WATCHER::

WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/tasks

[zk: localhost:2181(CONNECTED) 11] ls /tasks
[task-0000000000]
[zk: localhost:2181(CONNECTED) 12] ls /workers
[worker1.example.com]
[zk: localhost:2181(CONNECTED) 13] create /assign/worker1.example.com/task-0000000000 ""
Created /assign/worker1.example.com/task-0000000000
[zk: localhost:2181(CONNECTED) 14]
`

export const MACHINE_3 = `
Connecting to localhost:2181
Welcome to ZooKeeper!
JLine support is enabled

WATCHER::

WatchedEvent state:SyncConnected type:None path:null
[zk: localhost:2181(CONNECTED) 0] ls /
[zookeeper, master, workers, tasks, assign]
[zk: localhost:2181(CONNECTED) 1] create -s /tasks/task- "cmd"
Created /tasks/task-0000000000
[zk: localhost:2181(CONNECTED) 2] ls /tasks/task-0000000000 true
[]
[zk: localhost:2181(CONNECTED) 3]
WATCHER::

WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/tasks/task-0000000000

[zk: localhost:2181(CONNECTED) 3] get /tasks/task-0000000000
cmd
cZxid = 0x1000005ec
ctime = Thu May 09 20:24:48 CST 2019
mZxid = 0x1000005ec
mtime = Thu May 09 20:24:48 CST 2019
pZxid = 0x1000005ee
cversion = 1
dataVersion = 0
aclVersion = 0
ephemeralOwner = 0x0
dataLength = 3
numChildren = 1
[zk: localhost:2181(CONNECTED) 4] get /tasks/task-0000000000/status
done
cZxid = 0x1000005ee
ctime = Thu May 09 20:27:08 CST 2019
mZxid = 0x1000005ee
mtime = Thu May 09 20:27:08 CST 2019
pZxid = 0x1000005ee
cversion = 0
dataVersion = 0
aclVersion = 0
ephemeralOwner = 0x0
dataLength = 4
numChildren = 0
[zk: localhost:2181(CONNECTED) 5]
`
