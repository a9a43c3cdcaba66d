//! Places: which calls an undisturbed run makes, on which paths, and from how many threads.

use std::path::Path;

/// One kind of call on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) call: String,
    /// Relative to the room of the run, so that it means the same place in another room.
    pub(super) path: String,
}

/// A place, and the calls that an undisturbed run makes there.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) place: Place,
    /// By thread, in the order in which they first come here.
    threads: Vec<(u32, usize)>,
}

/// The places of a run, in the order in which they are first seen.
pub(super) type Trace = Vec<Seen>;

impl Seen {
    /// How many calls strace can reach: its N counts each thread by itself, so it ends with the busiest.
    pub(super) fn within_reach(&self) -> usize {
        self.threads.iter().map(|(_, calls)| *calls).max().unwrap_or(0)
    }
}

/// The calls that change what a later run finds on the disk. `?` lets strace pass over what an architecture lacks.
pub(super) const CALLS: &str = "?write,?pwrite64,?writev,?pwritev,?pwritev2,?fsync,?fdatasync,?sync_file_range,\
    ?ftruncate,?fallocate,?copy_file_range,?sendfile,?openat,?mkdir,?mkdirat,?rmdir,?rename,?renameat,?renameat2,\
    ?link,?linkat,?symlink,?symlinkat,?unlink,?unlinkat";

/// The places of a log that `strace -f -y` wrote.
pub(super) fn trace(log: &str, room: &Path) -> Trace {
    let mut trace = Trace::new();
    for (thread, call, path) in log.lines().filter_map(parts) {
        let Some(path) = within(room, path) else { continue };
        let place = Place { call: call.to_owned(), path };
        match trace.iter_mut().find(|seen| seen.place == place) {
            // Only the first open of a path creates it.
            Some(_) if call == "openat" => {}
            Some(seen) => match seen.threads.iter_mut().find(|(known, _)| *known == thread) {
                Some((_, calls)) => *calls += 1,
                None => seen.threads.push((thread, 1)),
            },
            None => trace.push(Seen { place, threads: vec![(thread, 1)] }),
        }
    }
    trace
}

/// The places in the data directory that several threads call in every trace in which they are seen at all.
///
/// The later thread's calls there cannot all be told from the earlier one's. At a place that is one thread's alone in
/// some trace, each call of that trace was reached.
pub(super) fn in_shadow(traces: &[Trace]) -> Vec<&Place> {
    let mut found: Vec<&Place> = Vec::new();
    let places = traces.iter().flatten().map(|seen| &seen.place);
    for place in places.filter(|place| place.path.starts_with("data")) {
        let mut seen = traces.iter().flatten().filter(|seen| seen.place == *place);
        if seen.all(|seen| seen.threads.len() > 1) && !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// Thread, call and path of a line such as `17 fsync(4</lake/a>) = 0`.
fn parts(line: &str) -> Option<(u32, &str, &str)> {
    let (thread, line) = line.split_once(' ')?;
    // A call that failed by itself changed nothing.
    if line.contains(" = -1 E") {
        return None;
    }
    let (call, arguments) = line.trim_start().split_once('(')?;
    let path = match call {
        // An open that creates nothing changes nothing.
        "openat" if !arguments.contains("O_CREAT") => return None,
        "openat" | "mkdir" | "mkdirat" | "rmdir" | "rename" | "renameat" | "renameat2" | "link"
        | "linkat" | "symlink" | "symlinkat" | "unlink" | "unlinkat" => named(arguments),
        "copy_file_range" => descriptors(arguments).nth(1),
        _ => descriptors(arguments).next(),
    };
    Some((thread.parse().ok()?, call, path?))
}

/// The first absolute name among the arguments; for a name relative to an open folder, that folder: strace's path
/// filter takes a call for a match when either of the two matches.
fn named(arguments: &str) -> Option<&str> {
    let quoted = arguments.split('"').nth(1)?;
    if quoted.starts_with('/') { Some(quoted) } else { descriptors(arguments).next() }
}

/// The paths behind the descriptors, which `-y` writes as `4</lake/a>`.
fn descriptors(arguments: &str) -> impl Iterator<Item = &str> {
    let inside = arguments.split('<').skip(1);
    inside.filter_map(|part| part.split_once('>').map(|(path, _)| path)).filter(|path| path.starts_with('/'))
}

/// The path as seen from the room; as it is outside of it; none where nothing is kept.
fn within(room: &Path, path: &str) -> Option<String> {
    if ["/dev/", "/proc/", "/sys/"].iter().any(|kept_nowhere| path.starts_with(kept_nowhere)) {
        return None;
    }
    let path = Path::new(path);
    Some(path.strip_prefix(room).unwrap_or(path).to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Trace, in_shadow, trace};

    fn seen(log: &str) -> Trace {
        trace(log, Path::new("/r"))
    }

    #[test]
    fn a_line_is_a_call_at_a_place() {
        let rows = [
            ("17 write(4</r/data/a>, \"x <y> \\\"/z\\\"\", 9) = 9", Some(("write", "data/a"))),
            ("17 pwrite64(4</r/data/a>, \"x\", 1, 0 <unfinished ...>", Some(("pwrite64", "data/a"))),
            ("17 <... pwrite64 resumed>) = 1", None),
            ("17 write(5<anon_inode:[eventfd]>, \"\\1\", 8) = 8", None),
            ("17 write(2<pipe:[71]>, \"x\", 1) = 1", None),
            ("17 write(1</dev/null>, \"x\", 1) = 1", None),
            ("17 fsync(4</r/data>) = 0", Some(("fsync", "data"))),
            ("17 rename(\"/r/data/a#1\", \"/r/data/a\") = 0", Some(("rename", "data/a#1"))),
            ("17 openat(AT_FDCWD</>, \"/r/data/a\", O_RDONLY|O_CLOEXEC) = 4</r/data/a>", None),
            (
                "17 openat(AT_FDCWD</>, \"/r/data/a\", O_RDWR|O_CREAT, 0644) = 4</r/data/a>",
                Some(("openat", "data/a")),
            ),
            ("17 unlinkat(4</r/data>, \"a\", 0) = 0", Some(("unlinkat", "data"))),
            ("17 mkdir(\"/r/data\", 0777) = 0", Some(("mkdir", "data"))),
            ("17 mkdir(\"/r\", 0777)     = -1 EEXIST (File exists)", None),
            (
                "17 copy_file_range(3</s>, NULL, 4</r/data/a>, NULL, 9, 0) = 9",
                Some(("copy_file_range", "data/a")),
            ),
            ("17 write(4</elsewhere/a>, \"x\", 1) = 1", Some(("write", "/elsewhere/a"))),
            ("17 +++ exited with 0 +++", None),
        ];
        for (line, wanted) in rows {
            let places: Trace = seen(line);
            let places: Vec<(&str, &str)> =
                places.iter().map(|seen| (seen.place.call.as_str(), seen.place.path.as_str())).collect();
            assert_eq!(places, wanted.into_iter().collect::<Vec<_>>(), "{line}");
        }
    }

    /// So many writes to a file by each of these threads, one after the other.
    fn writes(path: &str, threads: &[(u32, usize)]) -> Trace {
        let lines = threads
            .iter()
            .map(|(thread, calls)| format!("{thread} write(4</r/{path}>, \"x\", 1) = 1\n").repeat(*calls));
        seen(&lines.collect::<String>())
    }

    #[test]
    fn a_place_is_reached_as_far_as_its_busiest_thread_goes() {
        assert_eq!(writes("data/a", &[(7, 2)])[0].within_reach(), 2);
        assert_eq!(writes("data/a", &[(7, 2), (8, 5), (7, 1)])[0].within_reach(), 5);
    }

    #[test]
    fn a_shadow_is_lifted_by_a_trace_of_one_thread() {
        let (one, two) = (|| writes("data/a", &[(7, 2)]), || writes("data/a", &[(7, 2), (8, 1)]));
        let other = || writes("data/b", &[(7, 1)]);
        let rows =
            [(vec![one()], 0), (vec![two()], 1), (vec![two(), one()], 0), (vec![two(), other(), two()], 1)];
        for (traces, wanted) in rows {
            assert_eq!(in_shadow(&traces).len(), wanted, "{traces:?}");
        }
    }
}
