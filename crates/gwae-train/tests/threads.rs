//! The calling thread computes too. This needs a process of its own.

use std::num::NonZeroUsize;
use std::thread;

use gwae_train::compute_on_this_thread;

#[test]
fn this_thread_computes_and_others_are_served_while_it_waits() {
    let two = NonZeroUsize::new(2);
    assert!(compute_on_this_thread(two));
    assert_eq!(rayon::current_num_threads(), 2);
    assert_eq!(rayon::current_thread_index(), Some(0));
    // A thread that loads data may use the pool while this one waits for it.
    let sum = thread::spawn(|| {
        let (a, b) = rayon::join(rayon::current_thread_index, || 1);
        assert_eq!(a, Some(1));
        b
    });
    assert_eq!(sum.join().unwrap(), 1);
    // The pool already exists.
    assert!(!compute_on_this_thread(two));
}
