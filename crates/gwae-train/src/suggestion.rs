//! Which known name a mistyped one was meant to be.

/// The known name with the fewest typing errors away from `name`.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .min_by_key(|candidate| edit_distance(name, candidate))
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn edit_distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut distance = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            distance[i][j] = match (i, j) {
                (0, _) | (_, 0) => i + j,
                _ => {
                    let replaced = distance[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                    let edited = distance[i - 1][j].min(distance[i][j - 1]) + 1;
                    let swap =
                        i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                    let swapped = if swap {
                        distance[i - 2][j - 2] + 1
                    } else {
                        edited
                    };
                    replaced.min(edited).min(swapped)
                }
            };
        }
    }
    distance[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_distances() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("flaw", "lawn"), 2);
        assert_eq!(edit_distance("coef_pg", "coef_gp"), 1);
    }

    #[test]
    fn finds_the_nearest() {
        let known = ["lr", "lr_disc", "z_dim"];
        assert_eq!(closest("lr_dsic", known), Some("lr_disc"));
        assert_eq!(closest("zdim", known), Some("z_dim"));
        assert_eq!(closest("x", []), None);
    }
}
