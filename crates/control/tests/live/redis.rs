//! Redis stopped, frozen, slow, read-only, full and flushed, while a gateway serves and before it does: nothing is
//! forwarded that a rule would have to count, the agent is told why, and it goes on by itself.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::client::McpHttp;
use testkit::message::Outcome;
use testkit::redis::{Redis, Slow};
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::house::{Counts, Desk, House, LONG, OPEN, Serving, given, sqlite};
use crate::limits::{WATCHDOG, begun};

#[derive(Clone, Copy, Debug)]
enum Fault {
    Stopped,
    Frozen,
    Slow,
    ReadOnly,
    Full,
}

impl Fault {
    fn begin(self, redis: &mut Redis, way: &Slow) {
        match self {
            Self::Stopped => redis.stop().unwrap(),
            Self::Frozen => redis.freeze().unwrap(),
            Self::Slow => way.delay(Duration::from_secs(2)),
            Self::ReadOnly => redis.read_only(true).unwrap(),
            Self::Full => redis.out_of_memory(true).unwrap(),
        }
    }

    fn end(self, redis: &mut Redis, way: &Slow) {
        match self {
            Self::Stopped => redis.restart().unwrap(),
            Self::Frozen => redis.thaw().unwrap(),
            Self::Slow => way.delay(Duration::ZERO),
            Self::ReadOnly => redis.read_only(false).unwrap(),
            Self::Full => redis.out_of_memory(false).unwrap(),
        }
    }
}

/// A limit that denies while it cannot be counted, and one that lets calls pass.
const LIMITED: &str = r#"{ "version": "1", "default": "allow",
    "all_tools": { "limits": [{ "counter": "calls", "window": 3600, "max": 1000 }] } }"#;
const LENIENT: &str = r#"{ "version": "1", "default": "allow",
    "all_tools": { "limits": [{ "counter": "few", "window": 3600, "max": 3, "on_store_down": "allow" }] } }"#;
const SECOND: &str = r#"{ "version": "1", "default": "allow",
    "all_tools": { "limits": [{ "counter": "often", "window": 1, "max": 1000 }] } }"#;

struct Scene {
    redis: Redis,
    way: Slow,
    house: House,
    desk: Desk,
    upstream: Upstream,
}

fn scene() -> Scene {
    let redis = Redis::start_durable().unwrap();
    let way = Slow::start(redis.port()).unwrap();
    let house = sqlite();
    let desk = house.desk();
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    desk.register("files", &upstream);
    let policies = [("limited", LIMITED), ("lenient", LENIENT), ("second", SECOND), ("open", OPEN)];
    policies.iter().for_each(|(name, document)| desk.policy(&desk.admin, name, document));
    Scene { redis, way, house, desk, upstream }
}

impl Scene {
    fn replica(&self, name: &str) -> Serving {
        self.house.replica_counting(name, LONG, Counts::redis(&self.way.url()))
    }

    /// An agent under a policy, with a grant of its own.
    fn agent(&self, replica: &Serving, label: &str, policy: &str) -> McpHttp {
        replica.agent("files", &self.desk.mint(&self.desk.admin, &given(label, "files", policy)))
    }

    /// A denial that says why, in time; nothing has reached the server.
    fn denied(&self, agent: &McpHttp) -> String {
        let before = self.upstream.called().len();
        let asked = Instant::now();
        let outcome = agent.call("echo", json!({})).unwrap();
        assert!(asked.elapsed() < WATCHDOG, "{:?}", asked.elapsed());
        assert_eq!(self.upstream.called().len(), before);
        match outcome {
            Outcome::Denied { text, .. } => text,
            other => panic!("{other:?}"),
        }
    }

    fn told(&self, agent: &McpHttp) {
        for _ in 0..10 {
            let text = self.denied(agent);
            assert!(text.contains("The counts of this policy's limits cannot be read"), "{text}");
            assert!(text.contains("Redis at 127.0.0.1:"), "{text}");
        }
    }
}

fn goes_on(agent: &McpHttp) {
    wait::for_it("a call that is forwarded", || agent.call("echo", json!({})).unwrap().is_done()).unwrap();
}

fn while_running(fault: Fault) {
    let mut scene = scene();
    let replica = scene.replica("one");
    begun(&scene.desk);
    let agent = scene.agent(&replica, "limited", "limited");
    let (lenient, open) = (scene.agent(&replica, "lenient", "lenient"), scene.agent(&replica, "open", "open"));
    assert!(agent.call("echo", json!({})).unwrap().is_done());

    fault.begin(&mut scene.redis, &scene.way);
    scene.told(&agent);
    // What needs no count is not held up, and what may pass uncounted is bounded here.
    assert!(open.call("echo", json!({})).unwrap().is_done(), "{fault:?}");
    for number in 0..5 {
        let outcome = lenient.call("echo", json!({})).unwrap();
        assert_eq!((outcome.is_done(), outcome.is_limited()), (number < 3, number >= 3), "{fault:?}: {outcome:?}");
    }

    fault.end(&mut scene.redis, &scene.way);
    goes_on(&agent);
}

fn at_the_start(fault: Fault) {
    let mut scene = scene();
    {
        let before = scene.replica("before");
        begun(&scene.desk);
        let agent = scene.agent(&before, "first", "limited");
        assert!(agent.call("echo", json!({})).unwrap().is_done());
    }
    fault.begin(&mut scene.redis, &scene.way);
    let replica = scene.replica("one");
    let agent = scene.agent(&replica, "limited", "limited");
    scene.told(&agent);
    fault.end(&mut scene.redis, &scene.way);
    goes_on(&agent);
}

macro_rules! faults {
    ($($name:ident: $fault:ident,)*) => {
        mod running {
            $(#[test] fn $name() { super::while_running(super::Fault::$fault); })*
        }
        mod starting {
            $(#[test] fn $name() { super::at_the_start(super::Fault::$fault); })*
        }
    };
}

faults! {
    stopped: Stopped,
    frozen: Frozen,
    slow: Slow,
    read_only: ReadOnly,
    full: Full,
}

fn waits_out(scene: &Scene, replica: &Serving, long: &McpHttp, short: &McpHttp) {
    let text = scene.denied(long);
    assert!(text.contains("Redis has lost counts; limits per 3600 s count again from"), "{text}");
    goes_on(short);
    scene.denied(long);
    // Until somebody vouches for them.
    let instance = scene.desk.instance.clone().with_counting(replica.gateway.counting().clone());
    let lost = || scene.desk.runtime.block_on(instance.lost_counts(&scene.desk.admin)).unwrap();
    let waiting = lost().unwrap();
    assert!(waiting.since.is_some());
    assert!(waiting.waiting["3600 s"].is_some_and(|again| again > jiff::Timestamp::now()), "{waiting:?}");
    let confirmed = scene.desk.runtime.block_on(instance.confirm_counts(&scene.desk.admin, "nothing was under way"));
    assert!(confirmed.unwrap().1, "it was waited for");
    assert_eq!(lost(), None);
    goes_on(long);
}

#[test]
fn flushed_while_running() {
    let scene = scene();
    let replica = scene.replica("one");
    begun(&scene.desk);
    let (long, short) = (scene.agent(&replica, "long", "limited"), scene.agent(&replica, "short", "second"));
    assert!(long.call("echo", json!({})).unwrap().is_done());
    assert!(short.call("echo", json!({})).unwrap().is_done());
    scene.redis.flush().unwrap();
    waits_out(&scene, &replica, &long, &short);
}

/// A replica that starts finds what another has counted gone: it does not take it for new.
#[test]
fn flushed_at_the_start() {
    let scene = scene();
    {
        let before = scene.replica("before");
        begun(&scene.desk);
        assert!(scene.agent(&before, "first", "limited").call("echo", json!({})).unwrap().is_done());
    }
    scene.redis.flush().unwrap();
    let replica = scene.replica("one");
    let (long, short) = (scene.agent(&replica, "long", "limited"), scene.agent(&replica, "short", "second"));
    wait::for_it("Redis to be reached", || replica.gateway.counting().reachable().is_ok()).unwrap();
    waits_out(&scene, &replica, &long, &short);
}

/// Organisations that counted elsewhere before, in a file or another Redis, do not begin at zero here.
#[test]
fn counts_that_were_elsewhere_are_waited_out() {
    let scene = scene();
    {
        let before = scene.house.replica_counting("before", LONG, Counts::File);
        assert!(scene.agent(&before, "first", "limited").call("echo", json!({})).unwrap().is_done());
    }
    let replica = scene.replica("one");
    let (long, short) = (scene.agent(&replica, "long", "limited"), scene.agent(&replica, "short", "second"));
    wait::for_it("Redis to be reached", || replica.gateway.counting().reachable().is_ok()).unwrap();
    waits_out(&scene, &replica, &long, &short);
}
