//! Contact sheets of datasets: the choice of items, and the captions beside them.

use std::path::Path;

use gwae_datasets::{Dataset, DatasetError, FactorSpec, ImageShape, Item, Transform, epoch_order};

use gwae_report::{Images, ReportError, Sheet, SheetCell, SheetRow};

/// Images per row if no factor is varied.
const COLUMNS: usize = 6;

/// Most columns of a varied factor. A factor with more values shows some of them, evenly spaced.
const MOST_COLUMNS: usize = 16;

/// Most lines below an image.
const MOST_LINES: usize = 8;

/// Most items to search for wanted values, if the dataset has no search of its own.
const MOST_LOOKS: usize = 20_000;

/// Some items of a dataset, on a sheet with the values of their factors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContactSheet {
    /// The sheet; its cells hold indices into `items`.
    pub sheet: Sheet,
    /// The items.
    pub items: Vec<Item>,
}

/// A contact sheet that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ContactSheetError {
    /// The transform does not take an image.
    #[error(transparent)]
    Image(#[from] DatasetError),
    /// The picture.
    #[error(transparent)]
    Picture(#[from] ReportError),
}

impl ContactSheet {
    /// `number` different items, or all if there are fewer, each with the values of its factors.
    ///
    /// # Errors
    /// When an item cannot be read.
    pub fn of_random_items(
        dataset: &dyn Dataset,
        number: usize,
        seed: u64,
    ) -> Result<Self, DatasetError> {
        let order = shuffled(dataset, seed);
        let indices = order.iter().take(number);
        let items: Vec<Item> = indices
            .map(|&index| dataset.item(index as usize))
            .collect::<Result<_, _>>()?;
        let cell = |(image, item): (usize, &Item)| {
            Some(SheetCell {
                image,
                caption: caption(dataset, &item.factors, None),
            })
        };
        let cells: Vec<_> = items.iter().enumerate().map(cell).collect();
        let rows = cells.chunks(COLUMNS).map(|cells| SheetRow {
            name: Vec::new(),
            cells: cells.to_vec(),
        });
        let (name, shown, all) = (dataset.name(), items.len(), dataset.len());
        Ok(Self {
            sheet: Sheet {
                title: format!("{name}: {shown} of {all} images"),
                column_names: Vec::new(),
                rows: rows.collect(),
                visible_side: None,
            },
            items,
        })
    }

    /// One column per value of the factor at place `factor` of [`Dataset::factors`]. If the dataset
    /// has items that differ only in this factor, they form the rows. Otherwise each column holds
    /// any items with its value.
    ///
    /// # Errors
    /// When an item cannot be read.
    ///
    /// # Panics
    /// When the factor does not exist.
    pub fn of_factor(
        dataset: &dyn Dataset,
        factor: usize,
        rows: usize,
        seed: u64,
    ) -> Result<Self, DatasetError> {
        let FactorSpec {
            name, values: all, ..
        } = &dataset.factors()[factor];
        let values = spread(*all);
        let order = shuffled(dataset, seed);
        let mut sheet = Self::default();
        let first = dataset.item(order.first().copied().unwrap_or(0) as usize)?;
        if dataset.find(&first.factors).is_some() {
            sheet.vary_alone(dataset, factor, &values, &order, rows)?;
        } else {
            sheet.gather(dataset, factor, &values, &order, rows)?;
        }
        let words = values.iter().map(|value| word(dataset, factor, *value));
        let shown = match values.len() {
            shown if shown < *all as usize => format!(" ({shown} of {all} values)"),
            _ => String::new(),
        };
        sheet.sheet.title = format!("{}: {name} from left to right{shown}", dataset.name());
        sheet.sheet.column_names = words.collect();
        Ok(sheet)
    }

    /// Transforms the images with `transform` and draws them into the PNG file `path`.
    ///
    /// # Errors
    /// When the transform does not take an image, or the file cannot be written.
    pub fn save(&self, transform: &Transform, path: &Path) -> Result<(), ContactSheetError> {
        let mut values = Vec::with_capacity(self.items.len() * transform.output_len());
        for item in &self.items {
            values.extend(transform.apply(&item.image)?);
        }
        let ImageShape {
            channels,
            height,
            width,
        } = transform.shape;
        let shape = [self.items.len(), channels, height, width];
        Ok(self.sheet.save(Images::new(&values, shape)?, path)?)
    }

    /// Rows whose items differ only in the factor, with the other factors on the left.
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
            self.sheet.rows.push(SheetRow { name, cells });
            wanted[factor] = 0;
            seen.push(wanted);
        }
        Ok(())
    }

    /// Columns of items with the value; their other factors may differ.
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
        self.sheet.rows = (0..filled)
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

/// All values, or [`MOST_COLUMNS`] of them, evenly spaced from first to last.
fn spread(values: u32) -> Vec<u32> {
    let last_column = MOST_COLUMNS as u32 - 1;
    if values <= MOST_COLUMNS as u32 {
        return (0..values).collect();
    }
    let at = |column| (u64::from(column) * u64::from(values - 1) / u64::from(last_column)) as u32;
    (0..=last_column).map(at).collect()
}

/// The name of a factor's value, or its number if it has no name.
fn word(dataset: &dyn Dataset, factor: usize, value: u32) -> String {
    let names = dataset.value_names(factor);
    let name = names.and_then(|names| names.get(value as usize));
    name.cloned().unwrap_or_else(|| value.to_string())
}

/// One line per factor, except `left_out`: its name and value. For attributes that are present or
/// absent, only the names of the present ones.
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
        let sheet_of = |seed| ContactSheet::of_random_items(&digits, 8, seed).unwrap();
        let ContactSheet { sheet, items } = sheet_of(1);
        assert_eq!((items.len(), sheet.rows.len()), (8, 2));
        assert_eq!(sheet.rows[1].cells.len(), 2);
        for row in &sheet.rows {
            for cell in row.cells.iter().flatten() {
                let digit = items[cell.image].factors[0];
                assert_eq!(cell.caption, [format!("digit {digit}")]);
            }
        }
        assert_ne!(sheet_of(2).items, items);
        assert_eq!(sheet_of(1), ContactSheet { sheet, items });
    }

    #[test]
    fn a_row_of_a_grid_varies_one_factor_alone() {
        let shapes = RenderedShapes3d::new(4).unwrap();
        let ContactSheet { sheet, items } = ContactSheet::of_factor(&shapes, 4, 3, 5).unwrap();
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
        let ContactSheet { sheet, items } = ContactSheet::of_factor(&digits, 0, 2, 0).unwrap();
        assert_eq!((sheet.rows.len(), items.len()), (2, 20));
        for row in &sheet.rows {
            for (value, cell) in (0..).zip(&row.cells) {
                assert_eq!(items[cell.as_ref().unwrap().image].factors, [value]);
            }
        }
    }

    #[test]
    fn many_values_are_spread() {
        assert_eq!(spread(4), [0, 1, 2, 3]);
        let some = spread(1623);
        assert_eq!((some.len(), some[0], some[15]), (16, 0, 1622));
        assert!(some.is_sorted());
    }
}
