//! The first picture of a process. This file holds only one test, so no other test draws earlier.

use gwae_report::{Images, Sheet, SheetCell, SheetRow};

#[test]
fn a_sheet_can_be_the_first_picture() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sheet.png");
    let images = Images::new(&[0.5; 16], [1, 1, 4, 4]).unwrap();
    let sheet = Sheet {
        title: "title".to_owned(),
        rows: vec![SheetRow {
            name: vec!["z0".to_owned()],
            cells: vec![Some(SheetCell {
                image: 0,
                caption: Vec::new(),
            })],
        }],
        ..Sheet::default()
    };
    sheet.save(images, &path).unwrap();
    assert!(path.exists());
}
