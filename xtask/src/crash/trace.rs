//! Places: which calls an undisturbed run makes, and on which paths.

use std::collections::BTreeMap;
use std::path::Path;

/// One kind of call on one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) call: String,
    /// Relative to the room of the run, so that it means the same place in another room.
    pub(super) path: String,
}

/// The calls that change what a later run finds on the disk. `?` lets strace pass over what an architecture lacks.
pub(super) const CALLS: &str = "?write,?pwrite64,?writev,?pwritev,?pwritev2,?fsync,?fdatasync,?sync_file_range,\
    ?ftruncate,?fallocate,?copy_file_range,?sendfile,?openat,?mkdir,?mkdirat,?rmdir,?rename,?renameat,?renameat2,\
    ?link,?linkat,?symlink,?symlinkat,?unlink,?unlinkat";

/// How many calls a place saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calls {
    /// By the thread that made the most: so far does strace count.
    pub(super) by_one_thread: usize,
    /// By all threads.
    pub(super) in_all: usize,
}

/// The places of a log that `strace -f -y` wrote, with the number of calls each saw.
pub(super) fn places(log: &str, room: &Path) -> BTreeMap<Place, Calls> {
    let mut places: BTreeMap<Place, BTreeMap<&str, usize>> = BTreeMap::new();
    for (thread, call, path) in log.lines().filter_map(call_and_path) {
        if let Some(path) = within(room, path) {
            let threads = places.entry(Place { call: call.to_owned(), path }).or_default();
            *threads.entry(thread).or_default() += 1;
        }
    }
    let calls = |threads: BTreeMap<&str, usize>| Calls {
        by_one_thread: threads.values().copied().max().unwrap_or_default(),
        in_all: threads.values().sum(),
    };
    places.into_iter().map(|(place, threads)| (place, calls(threads))).collect()
}

/// Which thread calls what in a line such as `17 fsync(4</lake/a>) = 0`, and on which path.
fn call_and_path(line: &str) -> Option<(&str, &str, &str)> {
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
    Some((thread, call, path?))
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

    use super::places;

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
            let found = places(line, Path::new("/r"));
            let found: Vec<(&str, &str)> =
                found.keys().map(|place| (place.call.as_str(), place.path.as_str())).collect();
            assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{line}");
        }
    }

    #[test]
    fn calls_are_counted_by_place() {
        let log = "1 write(4</r/a>, \"x\", 1) = 1\n2 write(4</r/a>, \"y\", 1) = 1\n2 write(5</r/b>, \"x\", 1) = 1\n";
        let counts = places(log, Path::new("/r")).into_values();
        let counts: Vec<_> = counts.map(|calls| (calls.by_one_thread, calls.in_all)).collect();
        assert_eq!(counts, [(1, 2), (1, 1)]);
    }
}
