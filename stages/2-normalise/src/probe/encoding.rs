//! Which encoding a file is in, by its first bytes.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Error;
use crate::decode::find_encoding;

/// The encoding of a file. A byte order mark is believed, and so is the pattern of UTF-16; a file that is mostly broken as
/// UTF-8 is said to be so, since which of the other encodings it is in, only its maker knows.
pub(super) fn find(
    head: &[u8],
    whole: bool,
    wish: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<&'static Encoding, Error> {
    if let Some(name) = wish {
        return Ok(find_encoding(name)?);
    }
    if let Some(encoding) = utf16(head) {
        notes.push(format!("the file is {}; it is read as such", encoding.name()));
        return Ok(encoding);
    }
    if let Some(at) = head.iter().position(|byte| *byte == 0) {
        return Err(Error::Binary { at });
    }
    let mut lines: Vec<_> = head.split(|byte| *byte == b'\n').collect();
    if !whole {
        lines.pop(); // The last one may be cut within a character.
    }
    let others: Vec<_> = lines.into_iter().filter(|line| !line.is_ascii()).collect();
    let broken = others.iter().filter(|line| std::str::from_utf8(line).is_err()).count();
    // A few broken rows are rejects of a good file; a file of another encoding is broken wherever it is not ASCII.
    if broken > 0 && broken * 2 >= others.len() && (broken > 1 || others.len() > 1 || whole) {
        return Err(Error::NotUtf8 { with_others: others.len(), broken });
    }
    Ok(UTF_8)
}

fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [0xFF, 0xFE, ..] => return Some(UTF_16LE),
        [0xFE, 0xFF, ..] => return Some(UTF_16BE),
        _ => {}
    }
    // Without a mark: plain text in UTF-16 has a NUL beside nearly every letter, always on the same side.
    let head = &head[..head.len().min(1024) & !1];
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    match () {
        () if pairs >= 4 && odd * 10 > pairs * 7 && even == 0 => Some(UTF_16LE),
        () if pairs >= 4 && even * 10 > pairs * 7 && odd == 0 => Some(UTF_16BE),
        () => None,
    }
}

/// The characters of the first bytes.
pub(super) fn decode(head: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_with_bom_removal(head).0.into_owned()
}
