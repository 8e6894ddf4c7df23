//! Runs `gwae clusters` as a user does.

mod program;

use std::path::Path;

use program::{fine, gwae, refused, text};

/// Trains a tiny model for two steps, into `runs/NAME`.
fn train(name: &str, model: &str, data: &str, directory: &Path) {
    let config = format!(
        "[model]\nimage_size = 32\nchannels = 1\nlatent_dim = 3\nwidth = 0.1\n{model}\n\
         [training]\nbatch_size = 8\nsteps = 2\n\
         [data]\nvalidation_fraction = 0.01\n{data}\n"
    );
    let file = format!("{name}.toml");
    std::fs::write(directory.join(&file), config).unwrap();
    fine(&gwae(&["train", &file], directory));
}

/// The output of a successful command, and the figures that it wrote into `found`.
fn clusters(arguments: &[&str], directory: &Path) -> (String, serde_json::Value) {
    let arguments = [&["clusters"], arguments, &["--out", "found"]].concat();
    let output = gwae(&arguments, directory);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found = directory.join("found");
    assert!(found.join("embedding.png").exists());
    let json = std::fs::read(found.join("clusters.json")).unwrap();
    let printed = text(&output.stdout);
    assert!(printed.contains("largest with "), "{printed}");
    (printed, serde_json::from_slice(&json).unwrap())
}

fn sum(counts: &serde_json::Value) -> u64 {
    let counts = counts.as_array().unwrap().iter();
    counts.map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn components_of_a_mixture_are_drawn_and_measured() {
    let root = tempfile::tempdir().unwrap();
    let mixture = "prior = { family = \"gaussian_mixture\", components = 5 }";
    train("gwae", mixture, "dataset = \"digits\"", root.path());
    let dagmm = "kind = \"dagmm\"\ncomponents = 5";
    train("dagmm", dagmm, "dataset = \"letters\"", root.path());
    for (run, labels, images) in [("runs/gwae", 10, 40), ("runs/dagmm", 53, 21)] {
        let (printed, figures) = clusters(&[run, "--images", "40"], root.path());
        for part in [
            "5 components; entropy",
            "agreement of components with labels: NMI",
        ] {
            assert!(printed.contains(part), "{part}: {printed}");
        }
        let names = figures["labels"].as_array().unwrap().len();
        let components = &figures["components"];
        let labelled = &components["labelled"];
        let of_images = labelled["labels_of_images"].as_array().unwrap();
        let count = figures["images"].as_u64().unwrap();
        assert_eq!((names, count), (labels, images));
        assert_eq!(of_images.iter().map(sum).sum::<u64>(), count);
        for row in labelled["labels_of_samples"].as_array().unwrap() {
            assert_eq!((sum(row), row.as_array().unwrap().len()), (64, names));
        }
        // The entropy and the purity, computed again from the counts.
        let shares = of_images.iter().map(|row| sum(row) as f64 / count as f64);
        let terms = shares.map(|share| {
            if share > 0.0 {
                -share * share.ln()
            } else {
                0.0
            }
        });
        let entropy = components["assigned_usage"]["entropy"].as_f64().unwrap();
        assert!((entropy - terms.sum::<f64>()).abs() < 1e-9);
        let largest = of_images.iter().map(|row| {
            let row = row.as_array().unwrap().iter();
            row.map(|count| count.as_u64().unwrap()).max().unwrap()
        });
        let purity = labelled["agreement"]["purity"].as_f64().unwrap();
        assert!((purity - largest.sum::<u64>() as f64 / count as f64).abs() < 1e-9);
        // As many as labels, but no more than images.
        assert_eq!(figures["k_means"]["clusters"], count.min(labels as u64));
        assert_eq!(figures["k_means"]["chosen_by"], "labels");
        let found = root.path().join("found");
        for component in 0..5 {
            let picture = format!("cluster_samples/component_{component}.png");
            assert!(found.join(&picture).exists(), "{picture}");
        }
        assert!(!found.join("cluster_samples/component_5.png").exists());

        // It is not overwritten; without --out the command makes a new directory.
        let again = gwae(&["clusters", run, "--out", "found"], root.path());
        assert!(text(&again.stderr).contains("not empty"));
        std::fs::remove_dir_all(found).unwrap();
    }
    fine(&gwae(
        &["clusters", "runs/gwae", "--images", "12"],
        root.path(),
    ));
    let default = root.path().join("runs/gwae/clusters-step-2/clusters.json");
    assert!(default.exists());

    // Images without labels: the draws themselves.
    let samples = "runs/gwae/clusters-step-2/cluster_samples";
    let arguments = ["runs/gwae", "--dataset", "folder", "--data", samples];
    let (printed, figures) = clusters(&arguments, root.path());
    assert!(!printed.contains("agreement"), "{printed}");
    assert!(figures["labels"].is_null() && figures["components"]["labelled"].is_null());
    assert_eq!(figures["images"], 5);
    assert_eq!(figures["k_means"]["clusters"], 5);
    assert!(
        printed.contains("5 clusters (as many as components)"),
        "{printed}"
    );
}

#[test]
fn models_without_components_have_codes() {
    let root = tempfile::tempdir().unwrap();
    train("vae", "kind = \"vae\"", "dataset = \"digits\"", root.path());
    let arguments = ["runs/vae", "--images", "50", "--clusters", "7"];
    let (printed, figures) = clusters(&arguments, root.path());
    assert!(
        printed.contains("with labels, 7 clusters: NMI"),
        "{printed}"
    );
    assert!(
        printed.contains("50 images of digits, labels: digit, "),
        "{printed}"
    );
    assert!(figures["components"].is_null());
    assert!(!root.path().join("found/cluster_samples").exists());
    let entries = figures["cluster_counts"]["entries"].as_array().unwrap();
    let tried: Vec<_> = entries
        .iter()
        .map(|e| e["clusters"].as_u64().unwrap())
        .collect();
    assert_eq!(tried, (2..=12).collect::<Vec<_>>());
    std::fs::remove_dir_all(root.path().join("found")).unwrap();

    // Without a number, k-means takes as many clusters as there are labels.
    let (printed, figures) = clusters(&["runs/vae", "--images", "50"], root.path());
    assert_eq!(figures["k_means"]["clusters"], 10);
    assert!(
        printed.contains("10 clusters (as many as labels)"),
        "{printed}"
    );
    std::fs::remove_dir_all(root.path().join("found")).unwrap();

    // Without labels and components, it takes the number that the index prefers.
    let noise = [
        "runs/vae",
        "--images",
        "50",
        "--dataset",
        "folder",
        "--data",
        "grey",
    ];
    std::fs::create_dir(root.path().join("grey")).unwrap();
    for index in 0..20_u32 {
        let grey = |x: u32, y: u32| image::Luma([((x * 7 + y * index) % 251) as u8]);
        let picture = image::GrayImage::from_fn(32, 32, grey);
        picture
            .save(root.path().join(format!("grey/{index}.png")))
            .unwrap();
    }
    let (printed, figures) = clusters(&noise, root.path());
    assert!(printed.contains("--clusters K"), "{printed}");
    let entries = figures["cluster_counts"]["entries"].as_array().unwrap();
    let index = |entry: &serde_json::Value| entry["calinski_harabasz"].as_f64().unwrap();
    let best = entries.iter().max_by(|a, b| index(a).total_cmp(&index(b)));
    assert_eq!(figures["k_means"]["clusters"], best.unwrap()["clusters"]);

    for (arguments, words) in [
        (&["runs/nothing"][..], "runs/nothing"),
        (
            &["runs/vae", "--label", "colour"],
            "no such factor; it has digit",
        ),
        (
            &["runs/vae", "--images", "20", "--clusters", "21"],
            "21 clusters of 20 images",
        ),
        (&["runs/vae", "--dataset", "mnist"], "mnist"),
    ] {
        let arguments = [&["clusters"], arguments, &["--out", "wrong"]].concat();
        let output = gwae(&arguments, root.path());
        let message = refused(&output, 1);
        assert!(message.contains(words), "{message}");
        assert!(!root.path().join("wrong").exists());
    }
}

/// A different folder is not the training data, so all its images are new to the model.
#[test]
fn another_folder_is_new_to_a_model_of_a_folder() {
    let root = tempfile::tempdir().unwrap();
    for (folder, count) in [("first", 400_u16), ("second", 5)] {
        let folder = root.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        for index in 0..count {
            let grey = |x: u32, y: u32| {
                image::Luma([((x * 7 + y * u32::from(index + count)) % 251) as u8])
            };
            let picture = image::GrayImage::from_fn(32, 32, grey);
            picture.save(folder.join(format!("{index}.png"))).unwrap();
        }
    }
    let data = "dataset = \"folder\"\ndirectory = \"first\"\n";
    train("run", "kind = \"vae\"\n", data, root.path());
    for (folder, count) in [("first", 4), ("second", 5)] {
        let (said, _) = clusters(&["runs/run", "--data", folder], root.path());
        assert!(
            said.contains(&format!("{count} images of folder")),
            "{said}"
        );
        std::fs::remove_dir_all(root.path().join("found")).unwrap();
    }
    // The run's own data must be unchanged.
    std::fs::remove_file(root.path().join("first/0.png")).unwrap();
    for named in [&[][..], &["--data", "first"], &["--dataset", "folder"]] {
        let output = gwae(&[&["clusters", "runs/run"], named].concat(), root.path());
        let said = text(&output.stderr);
        assert!(said.contains("fingerprint"), "{named:?}: {said}");
    }
}
