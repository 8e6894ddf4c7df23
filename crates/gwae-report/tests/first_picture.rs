//! The first picture of a process. This file holds only one test, so no other test draws earlier.

use gwae_report::{Images, save_table};

#[test]
fn a_table_can_be_the_first_picture() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.png");
    let images = Images::new(&[0.5; 16], [1, 1, 4, 4]).unwrap();
    save_table(images, &["z0".to_owned()], 1, &path).unwrap();
    assert!(path.exists());
}
