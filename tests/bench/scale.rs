//! What a change costs, by size.

mod bound;
mod stage;
use stage::Stage;

fn main() {
    let sizes: Vec<usize> = std::env::var("SIZES")
        .unwrap_or("10,100,1000,10000".into())
        .split(',')
        .map(|s| s.parse().unwrap())
        .collect();
    for size in sizes {
        let t = std::time::Instant::now();
        let (stage, first) = Stage::start(size);
        let b = bound::first(size);
        println!(
            "{size}: first {first:?} bound {b:?}; names back after {:?}",
            t.elapsed()
        );
        for i in 0..3 {
            println!("add {:?}", stage.add(i));
            println!("remove {:?}", stage.remove(i));
            println!("move {:?}", stage.move_host(i));
        }
        println!("{:?} {:?}", stage.service.memory(), stage.service.cpu());
    }
}
