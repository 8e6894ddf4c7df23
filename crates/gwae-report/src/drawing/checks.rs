//! Errors for series that cannot be drawn, and for too many of them.

use super::labels::printable;
use super::panels::MAX_PANELS;
use super::series::drawable;
use crate::error::ReportError;

/// Returns an error for more than `limit` items. `what` names them: `series`, `classes` or `panels`.
pub(crate) fn check_count(
    plot: &'static str,
    what: &'static str,
    count: usize,
    limit: usize,
) -> Result<(), ReportError> {
    if count > limit {
        return Err(ReportError::TooManySeries {
            plot,
            what,
            count,
            limit,
        });
    }
    Ok(())
}

/// Returns an error for a picture without panels, for panels without series, and for too many panels
/// or names. `series` has the number of series of each panel. `names` is the number of different
/// names, of which at most `most` can have different colours.
pub(crate) fn check_panels(
    plot: &'static str,
    series: impl ExactSizeIterator<Item = usize>,
    names: usize,
    most: usize,
) -> Result<(), ReportError> {
    let panels = series.len();
    if panels == 0 || series.into_iter().any(|count| count == 0) {
        return Err(ReportError::NoSeries { plot });
    }
    check_count(plot, "series", names, most)?;
    check_count(plot, "panels", panels, MAX_PANELS)
}

/// Returns an error for a series without values, and for values that are not [`drawable`].
pub(crate) fn check_values(
    plot: &'static str,
    series: &str,
    values: impl ExactSizeIterator<Item = f64>,
) -> Result<(), ReportError> {
    if values.len() == 0 {
        let series = printable(series, 80);
        return Err(ReportError::EmptySeries { plot, series });
    }
    let expected = "a finite number within ±1e30";
    check_each(plot, series, values, drawable, expected)
}

/// Returns an error for the first value for which `fine` is false.
pub(crate) fn check_each(
    plot: &'static str,
    series: &str,
    values: impl Iterator<Item = f64>,
    fine: impl Fn(f64) -> bool,
    expected: &'static str,
) -> Result<(), ReportError> {
    match values.enumerate().find(|&(_, value)| !fine(value)) {
        None => Ok(()),
        Some((index, value)) => Err(ReportError::BadValue {
            plot,
            series: printable(series, 80),
            index,
            value,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_and_missing_values_are_named() {
        let error = |values: &[f64]| {
            let error = check_values("plot", "a\nname", values.iter().copied()).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            error(&[]),
            "plot: `a name` is empty; leave it out or give it values"
        );
        for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (-1e31, "-1e31")] {
            let error = error(&[1.0, value]);
            assert!(
                error.starts_with("plot: value 1 of `a name` is "),
                "{error}"
            );
            assert!(error.contains(word) && !error.contains('\n'), "{error}");
        }
        check_values("plot", "", [1e30, -1e30, 0.0].into_iter()).unwrap();
    }
}
