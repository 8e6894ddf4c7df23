use super::*;

#[test]
fn names_are_read_and_written() {
    for backend in DeviceBackend::ALL {
        for index in [None, Some(0)] {
            let spec = DeviceSpec { backend, index };
            assert_eq!(spec.to_string().parse(), Ok(spec));
        }
    }
    let cuda: DeviceSpec = "cuda:13".parse().unwrap();
    assert_eq!(cuda.backend, DeviceBackend::Cuda);
    assert_eq!(cuda.index, Some(13));
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "gpu",
        "CPU",
        "cpu:1",
        "cuda:",
        "cuda:-1",
        "cuda:+1",
        "cuda: 1",
        "cuda:1:2",
        "cuda:99999999999999999999999",
    ] {
        let message = text.parse::<DeviceSpec>().unwrap_err().to_string();
        assert!(message.starts_with(&format!("`{text}` is no device")));
        assert!(message.contains("cpu, wgpu, vulkan, metal, cuda or rocm"));
    }
}

#[test]
#[cfg(feature = "cpu")]
fn the_cpu_opens() {
    for text in ["cpu", "cpu:0"] {
        let device = text.parse::<DeviceSpec>().unwrap().open().unwrap();
        assert_eq!(device, Device::flex());
        assert!(!device.is_autodiff());
    }
}

#[test]
fn a_missing_feature_is_named() {
    for backend in DeviceBackend::ALL {
        if backend.is_compiled_in() {
            continue;
        }
        let index = Some(1).filter(|_| backend != DeviceBackend::Cpu);
        let spec = DeviceSpec { backend, index };
        let message = spec.open().unwrap_err().to_string();
        assert!(message.contains(&spec.to_string()), "{message}");
        let way_out = format!("cargo run --release --features {}", backend.name());
        assert!(message.contains(&way_out), "{message}");
        assert!(!message.contains('\n'));
    }
}

#[test]
#[cfg(feature = "cpu")]
fn a_device_that_is_not_there_is_told_from_those_found() {
    let choose = |index, count| {
        let spec = DeviceSpec {
            backend: DeviceBackend::Cuda,
            index,
        };
        let found = Found {
            devices: vec![Device::flex(); count],
            default: None,
        };
        spec.choose(found).map_err(|error| error.to_string())
    };
    assert!(choose(None, 1).is_ok());
    assert!(choose(Some(1), 2).is_ok());
    let message = choose(None, 0).unwrap_err();
    assert!(message.contains("found no cuda device"), "{message}");
    assert!(message.contains("nvidia-smi"), "{message}");
    let message = choose(Some(3), 1).unwrap_err();
    assert!(
        message.contains("cuda:3 is not there: found only cuda:0"),
        "{message}"
    );
    let message = choose(Some(2), 2).unwrap_err();
    assert!(message.contains("found cuda:0 to cuda:1"), "{message}");
}

#[test]
fn a_type_that_the_device_does_not_have_is_one_line() {
    let spec: DeviceSpec = "wgpu:1".parse().unwrap();
    assert_eq!(spec.check_precision(Precision::Bf16, true), Ok(()));
    let error = spec.check_precision(Precision::Bf16, false).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("device wgpu:1 does not compute in bf16"));
    assert!(message.contains("training.precision") && !message.contains('\n'));
}

#[test]
fn panics_become_messages() {
    assert_eq!(without_panic(|| 3), Ok(3));
    let caught = without_panic(|| -> () { panic!("no driver\n  found") });
    assert_eq!(caught, Err("no driver found".into()));
    // The cause is on another thread, as with a backend that has a server thread.
    let caught = without_panic(|| {
        let thread = std::thread::spawn(|| panic!("libcuda is missing"));
        thread.join().expect("the server answers")
    });
    assert_eq!(caught, Err("libcuda is missing".into()));
}
