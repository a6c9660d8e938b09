//! Numbers of the process, by the names that Prometheus has for them. Where the system does not tell, they are left out.

use gateway::measures::{Exposition, Kind};
use jiff::Timestamp;

/// How many ticks a second has in `/proc/self/stat`: Linux says so to programs whatever its own clock does.
const TICKS: f64 = 100.0;

/// Writes the numbers of this process, which began to serve at `started`.
pub fn render(started: Timestamp, text: &mut Exposition) {
    if let Some(ticks) = read("stat").as_deref().and_then(cpu_ticks) {
        let seconds = ticks / TICKS;
        text.single(
            "process_cpu_seconds_total",
            Kind::Counter,
            "Time on processors, in user and system mode.",
            seconds,
        );
    }
    let status = read("status").unwrap_or_default();
    for (field, name, help) in [
        ("VmRSS:", "process_resident_memory_bytes", "Memory that lies in RAM."),
        ("VmSize:", "process_virtual_memory_bytes", "Addresses that the process has taken."),
    ] {
        if let Some(bytes) = kilobytes(&status, field) {
            text.single(name, Kind::Gauge, help, bytes);
        }
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        text.single("process_open_fds", Kind::Gauge, "Open file descriptors.", open.count());
    }
    if let Some(most) = read("limits").as_deref().and_then(most_files) {
        text.single("process_max_fds", Kind::Gauge, "The most file descriptors that may be open.", most);
    }
    let since = started.as_duration().as_secs_f64();
    text.single("process_start_time_seconds", Kind::Gauge, "When it began to serve, in seconds since 1970.", since);
}

fn read(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/{name}")).ok()
}

/// User and system time. The name of the program, in brackets, may hold anything; what follows it does not.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn most_files(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 500 0 0 0 17 25 0 0 20 0 3 0 100 1000 200";
        assert_eq!(cpu_ticks(stat), Some(42.0));
        assert_eq!(kilobytes("VmSize:\t  2048 kB\nVmRSS:\t 12 kB\n", "VmRSS:"), Some(12 * 1024));
        assert_eq!(kilobytes("VmRSS: x kB", "VmRSS:"), None);
        let limits =
            "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096     files\n";
        assert_eq!(most_files(limits), Some(1024));
        assert_eq!(cpu_ticks(""), None);
    }
}
