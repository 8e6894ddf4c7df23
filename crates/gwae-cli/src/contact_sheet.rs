//! Which items a contact sheet shows, and what is written beside them.

use gwae_datasets::{Dataset, DatasetError, FactorSpec, Item, epoch_order};
use gwae_train::report::{Sheet, SheetCell, SheetRow};

/// Images side by side where no factor is varied.
const COLUMNS: usize = 6;

/// Most columns of a varied factor; one with more values shows some of them, evenly spaced.
const MOST_COLUMNS: usize = 16;

/// Most lines below an image.
const MOST_LINES: usize = 8;

/// Items that are looked at to find some with a wanted value, where the dataset cannot tell.
const MOST_LOOKS: usize = 20_000;

/// A sheet and the items whose images it shows.
pub struct Choice {
    /// The sheet; its cells count through `items`.
    pub sheet: Sheet,
    /// The items.
    pub items: Vec<Item>,
}

/// A factor that cannot be varied.
#[derive(Debug, thiserror::Error)]
pub enum VaryError {
    /// No factor has this name.
    #[error("--vary {name}: {dataset} has no such factor; {}", known(factors))]
    Unknown {
        /// The name.
        name: String,
        /// The dataset.
        dataset: String,
        /// The names there are.
        factors: Vec<String>,
    },
    /// An item cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// The factors that a dataset has, as the end of a message.
pub(crate) fn known(factors: &[String]) -> String {
    match factors {
        [] => "it has none".to_owned(),
        _ => format!("it has {}", factors.join(", ")),
    }
}

/// `number` different items, or all there are, each with the values of its factors.
///
/// # Errors
/// When an item cannot be read.
pub fn choose(dataset: &dyn Dataset, number: usize, seed: u64) -> Result<Choice, DatasetError> {
    let order = shuffled(dataset, seed);
    let chosen = order.iter().take(number);
    let items: Vec<Item> = chosen
        .map(|&index| dataset.item(index as usize))
        .collect::<Result<_, _>>()?;
    let cell = |image: usize| {
        Some(SheetCell {
            image,
            caption: caption(dataset, &items[image].factors, None),
        })
    };
    let cells: Vec<_> = (0..items.len()).map(cell).collect();
    let rows = cells.chunks(COLUMNS).map(|cells| SheetRow {
        name: Vec::new(),
        cells: cells.to_vec(),
    });
    Ok(Choice {
        sheet: Sheet {
            title: format!(
                "{}: {} of {} images",
                dataset.name(),
                items.len(),
                dataset.len()
            ),
            column_names: Vec::new(),
            rows: rows.collect(),
        },
        items,
    })
}

/// A column for every value of the factor `name`. Where the dataset has items that differ in it
/// alone, those make a row; else each column has items of that value.
///
/// # Errors
/// A factor that the dataset does not have, or an item that cannot be read.
pub fn choose_varying(
    dataset: &dyn Dataset,
    name: &str,
    rows: usize,
    seed: u64,
) -> Result<Choice, VaryError> {
    let factors = dataset.factors();
    let Some(factor) = factors.iter().position(|factor| factor.name == name) else {
        return Err(VaryError::Unknown {
            name: name.to_owned(),
            dataset: dataset.name().to_owned(),
            factors: factors.iter().map(|factor| factor.name.clone()).collect(),
        });
    };
    let values = spread(factors[factor].values);
    let order = shuffled(dataset, seed);
    let mut table = Table {
        items: Vec::new(),
        rows: Vec::new(),
    };
    let first = dataset.item(order.first().copied().unwrap_or(0) as usize)?;
    if dataset.find(&first.factors).is_some() {
        table.vary_alone(dataset, factor, &values, &order, rows)?;
    } else {
        table.gather(dataset, factor, &values, &order, rows)?;
    }
    let words = values.iter().map(|value| word(dataset, factor, *value));
    let shown = match factors[factor].values as usize {
        all if all > values.len() => format!(" ({} of {all} values)", values.len()),
        _ => String::new(),
    };
    Ok(Choice {
        sheet: Sheet {
            title: format!("{}: {name} from left to right{shown}", dataset.name()),
            column_names: words.collect(),
            rows: table.rows,
        },
        items: table.items,
    })
}

struct Table {
    items: Vec<Item>,
    rows: Vec<SheetRow>,
}

impl Table {
    /// Rows that differ in the factor alone, with the other factors on the left.
    fn vary_alone(
        &mut self,
        dataset: &dyn Dataset,
        factor: usize,
        values: &[u32],
        order: &[u32],
        rows: usize,
    ) -> Result<(), DatasetError> {
        let mut seen: Vec<Vec<u32>> = Vec::new();
        for &index in order {
            if seen.len() == rows {
                break;
            }
            let mut wanted = dataset.item(index as usize)?.factors;
            wanted[factor] = 0;
            if seen.contains(&wanted) {
                continue;
            }
            let mut cells = Vec::with_capacity(values.len());
            for &value in values {
                wanted[factor] = value;
                let cell = match dataset.find(&wanted) {
                    Some(found) => Some(self.add(dataset.item(found)?)),
                    None => None,
                };
                cells.push(cell);
            }
            let name = caption(dataset, &wanted, Some(factor));
            self.rows.push(SheetRow { name, cells });
            wanted[factor] = 0;
            seen.push(wanted);
        }
        Ok(())
    }

    /// Columns of items that have the value, whatever else they are.
    fn gather(
        &mut self,
        dataset: &dyn Dataset,
        factor: usize,
        values: &[u32],
        order: &[u32],
        rows: usize,
    ) -> Result<(), DatasetError> {
        let mut columns: Vec<Vec<SheetCell>> = vec![Vec::new(); values.len()];
        for &index in order.iter().take(MOST_LOOKS) {
            if columns.iter().all(|column| column.len() == rows) {
                break;
            }
            let item = dataset.item(index as usize)?;
            let column = values.iter().position(|v| *v == item.factors[factor]);
            if let Some(column) = column.filter(|column| columns[*column].len() < rows) {
                columns[column].push(self.add(item));
            }
        }
        let filled = columns.iter().map(Vec::len).max().unwrap_or(0);
        self.rows = (0..filled)
            .map(|row| SheetRow {
                name: Vec::new(),
                cells: columns.iter().map(|c| c.get(row).cloned()).collect(),
            })
            .collect();
        Ok(())
    }

    fn add(&mut self, item: Item) -> SheetCell {
        self.items.push(item);
        SheetCell {
            image: self.items.len() - 1,
            caption: Vec::new(),
        }
    }
}

fn shuffled(dataset: &dyn Dataset, seed: u64) -> Vec<u32> {
    let len = u32::try_from(dataset.len()).unwrap_or(u32::MAX);
    epoch_order(&(0..len).collect::<Vec<_>>(), seed, 0)
}

/// All values, or [`MOST_COLUMNS`] of them from the first to the last.
fn spread(values: u32) -> Vec<u32> {
    let last_column = MOST_COLUMNS as u32 - 1;
    if values <= MOST_COLUMNS as u32 {
        return (0..values).collect();
    }
    let at = |column| (u64::from(column) * u64::from(values - 1) / u64::from(last_column)) as u32;
    (0..=last_column).map(at).collect()
}

/// Name of a factor's value, or its number.
fn word(dataset: &dyn Dataset, factor: usize, value: u32) -> String {
    let names = dataset.value_names(factor);
    let name = names.and_then(|names| names.get(value as usize));
    name.cloned().unwrap_or_else(|| value.to_string())
}

/// A line per factor, but for the one left out: its name and value. Of attributes that are
/// present or absent, the names of those that are present.
fn caption(dataset: &dyn Dataset, values: &[u32], left_out: Option<usize>) -> Vec<String> {
    let line = |(factor, (spec, &value)): (usize, (&FactorSpec, &u32))| {
        let word = word(dataset, factor, value);
        match &*word {
            _ if left_out == Some(factor) => None,
            "absent" => None,
            "present" => Some(spec.name.replace('_', " ")),
            _ => Some(format!("{} {word}", spec.name)),
        }
    };
    let pairs = dataset.factors().iter().zip(values).enumerate();
    let mut lines: Vec<String> = pairs.filter_map(line).collect();
    if lines.len() > MOST_LINES {
        let more = lines.len() - (MOST_LINES - 1);
        lines.truncate(MOST_LINES - 1);
        lines.push(format!("and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_datasets::{RenderedShapes3d, embedded_digits};

    #[test]
    fn a_sheet_shows_different_items_with_their_factors() {
        let digits = embedded_digits().unwrap();
        let Choice { sheet, items } = choose(&digits, 8, 1).unwrap();
        assert_eq!((items.len(), sheet.rows.len()), (8, 2));
        assert_eq!(sheet.rows[1].cells.len(), 2);
        for row in &sheet.rows {
            for cell in row.cells.iter().flatten() {
                let digit = items[cell.image].factors[0];
                assert_eq!(cell.caption, [format!("digit {digit}")]);
            }
        }
        let again = choose(&digits, 8, 1).unwrap();
        assert_eq!((again.sheet, again.items), (sheet, items.clone()));
        assert_ne!(choose(&digits, 8, 2).unwrap().items, items);
    }

    #[test]
    fn a_row_of_a_grid_varies_one_factor_alone() {
        let shapes = RenderedShapes3d::new(4).unwrap();
        let Choice { sheet, items } = choose_varying(&shapes, "shape", 3, 5).unwrap();
        assert_eq!(
            sheet.column_names,
            ["cube", "cylinder", "sphere", "capsule"]
        );
        assert_eq!((sheet.rows.len(), items.len()), (3, 12));
        for (row, items) in sheet.rows.iter().zip(items.chunks(4)) {
            assert_eq!(row.name.len(), 5);
            for (value, item) in (0..).zip(items) {
                let mut expected = items[0].factors.clone();
                expected[4] = value;
                assert_eq!(item.factors, expected);
            }
        }
    }

    #[test]
    fn columns_without_a_grid_have_items_of_their_value() {
        let digits = embedded_digits().unwrap();
        let Choice { sheet, items } = choose_varying(&digits, "digit", 2, 0).unwrap();
        assert_eq!((sheet.rows.len(), items.len()), (2, 20));
        for row in &sheet.rows {
            for (value, cell) in (0..).zip(&row.cells) {
                assert_eq!(items[cell.as_ref().unwrap().image].factors, [value]);
            }
        }
    }

    #[test]
    fn unknown_factors_are_answered_with_the_known_ones() {
        let shapes = RenderedShapes3d::new(4).unwrap();
        let message = choose_varying(&shapes, "colour", 1, 0).err().unwrap();
        let message = message.to_string();
        assert!(
            message.contains("colour") && message.contains("floor_hue, wall_hue"),
            "{message}"
        );
    }

    #[test]
    fn many_values_are_spread() {
        assert_eq!(spread(4), [0, 1, 2, 3]);
        let some = spread(1623);
        assert_eq!((some.len(), some[0], some[15]), (16, 0, 1622));
        assert!(some.is_sorted());
    }
}
