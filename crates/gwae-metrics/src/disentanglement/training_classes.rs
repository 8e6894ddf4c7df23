//! The classes that occur among the items that train a predictor.

/// Classes of training items, numbered without gaps.
pub(super) struct TrainingClasses {
    /// Class of each training item, `0..class_count`.
    pub classes: Vec<usize>,
    /// At least 2.
    pub class_count: usize,
    /// The number of each of the factor's classes.
    number: Vec<Option<usize>>,
}

impl TrainingClasses {
    /// `classes`: of the training items, below `all`. None if all are the same.
    pub fn new(classes: &[usize], all: usize) -> Option<Self> {
        let mut number = vec![None; all];
        classes.iter().for_each(|&class| number[class] = Some(0));
        for (next, number) in number.iter_mut().flatten().enumerate() {
            *number = next;
        }
        let class_count = number.iter().flatten().count();
        let classes = classes.iter().filter_map(|&class| number[class]).collect();
        (class_count >= 2).then_some(Self {
            classes,
            class_count,
            number,
        })
    }

    /// 1 if a prediction is an item's class, else 0. Classes that no training item has are never
    /// predicted.
    pub fn is_right(&self, predicted: usize, class: usize) -> f64 {
        f64::from(u8::from(self.number[class] == Some(predicted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbered_without_gaps() {
        let found = TrainingClasses::new(&[3, 1, 3], 5).unwrap();
        assert_eq!((&found.classes[..], found.class_count), (&[1, 0, 1][..], 2));
        assert_eq!((found.is_right(1, 3), found.is_right(0, 3)), (1.0, 0.0));
        assert_eq!(found.is_right(0, 2), 0.0);
        assert!(TrainingClasses::new(&[2, 2], 3).is_none());
    }
}
