//! The table of a comparison: two sides, their medians, the ratios, and whether the aims are met.

use serde_json::{Value, json};

use super::cost::{Cost, median};

/// Two programs that did the same work in turn.
pub(super) struct Comparison {
    pub(super) title: String,
    pub(super) ours: Side,
    pub(super) peer: Side,
    /// How many times the peer's wall time should be ours.
    pub(super) aim_wall: f64,
    /// How many times the peer's memory should be ours.
    pub(super) aim_memory: f64,
}

/// One side of a comparison.
pub(super) struct Side {
    pub(super) name: String,
    /// One a round.
    pub(super) costs: Vec<Cost>,
}

impl Side {
    /// The medians, each figure by itself.
    fn medians(&self) -> Cost {
        let of = |figure: fn(&Cost) -> f64| median(self.costs.iter().map(figure).collect());
        Cost {
            wall_secs: of(|cost| cost.wall_secs),
            cpu_secs: of(|cost| cost.cpu_secs),
            peak_bytes: of(|cost| cost.peak_bytes),
        }
    }

    fn json(&self) -> Value {
        let row = |cost: &Cost| json!({ "wall_secs": cost.wall_secs, "cpu_secs": cost.cpu_secs, "peak_bytes": cost.peak_bytes });
        json!({ "name": self.name, "median": row(&self.medians()), "rounds": self.costs.iter().map(row).collect::<Vec<_>>() })
    }
}

impl Comparison {
    /// The peer's medians over ours: above one, we are cheaper.
    fn ratios(&self) -> Cost {
        let (ours, peer) = (self.ours.medians(), self.peer.medians());
        Cost {
            wall_secs: peer.wall_secs / ours.wall_secs,
            cpu_secs: peer.cpu_secs / ours.cpu_secs,
            peak_bytes: peer.peak_bytes / ours.peak_bytes,
        }
    }

    /// The comparison for a reader.
    pub(super) fn text(&self) -> String {
        let row = |side: &Side| {
            let cost = side.medians();
            let (name, mib) = (&side.name, cost.peak_bytes / 1_048_576.0);
            format!("  {name:<28}{:>10.2} {:>10.2} {mib:>10.0}\n", cost.wall_secs, cost.cpu_secs)
        };
        let ratios = self.ratios();
        let verdict = |what: &str, ratio: f64, aim: f64| {
            let verdict = if ratio >= aim { "met" } else { "missed" };
            format!("  aim: {aim} × {what}: {verdict} ({ratio:.1} ×)\n")
        };
        [
            format!("{}, medians of {} rounds in turn\n", self.title, self.ours.costs.len()),
            format!("  {:<28}{:>10} {:>10} {:>10}\n", "", "wall s", "CPU s", "peak MiB"),
            row(&self.ours),
            row(&self.peer),
            format!(
                "  {:<28}{:>8.1} × {:>8.1} × {:>8.1} ×\n",
                "peer over ours", ratios.wall_secs, ratios.cpu_secs, ratios.peak_bytes
            ),
            verdict("faster by the clock", ratios.wall_secs, self.aim_wall),
            verdict("less memory", ratios.peak_bytes, self.aim_memory),
        ]
        .concat()
    }

    /// The comparison for a program, every round included.
    pub(super) fn json(&self) -> Value {
        let ratios = self.ratios();
        json!({
            "title": self.title,
            "ours": self.ours.json(),
            "peer": self.peer.json(),
            "peer_over_ours": { "wall": ratios.wall_secs, "cpu": ratios.cpu_secs, "peak": ratios.peak_bytes },
            "aims": { "wall": self.aim_wall, "peak": self.aim_memory },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Side};
    use crate::bench::cost::Cost;

    fn side(name: &str, walls: [f64; 3], peak_bytes: f64) -> Side {
        let cost = |wall_secs| Cost { wall_secs, cpu_secs: 2.0 * wall_secs, peak_bytes };
        Side { name: name.to_owned(), costs: walls.map(cost).to_vec() }
    }

    #[test]
    fn a_comparison_ends_in_ratios() {
        let comparison = Comparison {
            title: "import of 10 rows".to_owned(),
            ours: side("doxa", [0.5, 9.0, 0.25], 10_485_760.0),
            peer: side("a peer", [4.5, 4.0, 1.0], 41_943_040.0),
            aim_wall: 8.0,
            aim_memory: 5.0,
        };
        let text = comparison.text();
        let wanted = [
            "import of 10 rows, medians of 3 rounds in turn",
            "                                  wall s      CPU s   peak MiB",
            "  doxa                              0.50       1.00         10",
            "  a peer                            4.00       8.00         40",
            "  peer over ours                   8.0 ×      8.0 ×      4.0 ×",
            "  aim: 8 × faster by the clock: met (8.0 ×)",
            "  aim: 5 × less memory: missed (4.0 ×)",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
        assert_eq!(comparison.json()["peer_over_ours"]["peak"], 4.0);
        assert_eq!(comparison.json()["ours"]["rounds"][1]["wall_secs"], 9.0);
    }
}
