//! Made-up comments: as many as one likes, and the same ones on every machine.

use std::io::{self, Write};

/// The header of [`write_row`]'s rows.
pub(crate) const HEADER: &str = "id,author,text,created_at,likes\n";

/// One text in so many is quoted, with a comma and doubled quotes inside.
const QUOTED_EVERY: u64 = 20;
/// Lengths of texts, in bytes; each between them is as likely.
const SHORTEST: u64 = 40;
const LONGEST: u64 = 300;

const WORDS: &[&str] = &[
    "the",
    "battery",
    "lasts",
    "two",
    "days",
    "but",
    "camera",
    "is",
    "worse",
    "than",
    "last",
    "year's",
    "I",
    "returned",
    "mine",
    "after",
    "a",
    "week",
    "screen",
    "looks",
    "great",
    "in",
    "sunlight",
    "🔥",
    "and",
    "nobody",
    "asked",
    "for",
    "another",
    "button",
    "shipping",
    "took",
    "forever",
    "support",
    "was",
    "kind",
    "café",
    "honestly",
    "not",
    "bad",
    "at",
    "all",
    "would",
    "buy",
    "again",
    "updates",
    "broke",
    "Bluetooth",
    "price",
    "went",
    "up",
    "twice",
    "naïve",
    "design",
];

/// Writes one row. The row's number decides everything in it.
pub(crate) fn write_row(out: &mut impl Write, number: u64) -> io::Result<()> {
    let mut dice = Dice(number);
    let text = text(number, &mut dice);
    let (author, likes) = (dice.below(50_000), dice.below(500));
    let (day, hour, minute, second) = (1 + dice.below(20), dice.below(24), dice.below(60), dice.below(60));
    writeln!(
        out,
        "c{number:07},user{author},{text},2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}Z,{likes}"
    )
}

fn text(number: u64, dice: &mut Dice) -> String {
    let length = SHORTEST + dice.below(LONGEST - SHORTEST);
    let length = usize::try_from(length).expect("a text's length is small");
    let quoted = number.is_multiple_of(QUOTED_EVERY);
    let mut text = String::from(if quoted { "\"He said \"\"no\"\", and left:" } else { "" });
    while text.len() < length {
        let word = WORDS[usize::try_from(dice.below(WORDS.len() as u64)).expect("a word's place is small")];
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    // The last word may have gone over the end; a cut inside an é goes back before it.
    text.truncate(text.floor_char_boundary(length - usize::from(quoted)));
    if quoted {
        text.push('"');
    }
    text
}

/// Numbers that look thrown: Steele, Lea and Flood's SplitMix64 (OOPSLA 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }
}

#[cfg(test)]
mod tests {
    use super::write_row;

    fn row(number: u64) -> String {
        let mut out = Vec::new();
        write_row(&mut out, number).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_is_the_same_everywhere() {
        assert_eq!(
            row(15),
            "c0000015,user2837,was Bluetooth Bluetooth at worse design twice for great at design not broke twice shipping forever we,2026-11-02T18:16:16Z,383\n"
        );
        assert_eq!(
            row(40),
            "c0000040,user21008,\"He said \"\"no\"\", and left: all worse lasts up week worse would worse lasts two last lasts went year's shipping mine price sunlight last Bluetooth last for is button than last again support café de\",2026-11-10T13:00:17Z,245\n"
        );
    }

    #[test]
    fn texts_are_40_to_300_bytes_and_one_in_20_is_quoted() {
        let (mut shortest, mut longest, mut quoted) = (usize::MAX, 0, 0);
        for number in 0..2_000 {
            let row = row(number);
            let (_, from_text) = row.match_indices(',').nth(1).map(|(at, _)| row.split_at(at + 1)).unwrap();
            let text: Vec<&str> = from_text.rsplitn(3, ',').collect();
            shortest = shortest.min(text[2].len());
            longest = longest.max(text[2].len());
            quoted +=
                usize::from(text[2].starts_with('"') && text[2].ends_with('"') && text[2].contains("\"\","));
        }
        assert_eq!((quoted, shortest >= 40, longest <= 300), (100, true, true), "{shortest} to {longest}");
    }
}
