//! Records whose bytes depend on nothing but the values in them.
//!
//! Burn draws random identifiers for parameters, and writes the states of an optimiser in the order
//! of a hash map. So two runs of one seed would have different files.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Bool, Bytes, Int, Tensor};
use burn_pack::{Error, Reader, Writer};

/// `model` with its parameters numbered in the order of a visit. Buffers keep their random
/// identifiers, because Burn does not let a mapper change them.
///
/// Call it before an optimiser sees the model: optimisers keep their state by identifier.
pub fn numbered<M: Module>(model: M) -> M {
    model.map(&mut Number::default())
}

/// `record` with its tensors in the order of their names, and with those identifiers only that
/// `keeps` chooses.
pub fn ordered(record: Bytes, keeps: impl Fn(u64) -> bool) -> Result<Bytes, Error> {
    let reader = Reader::from_bytes(record)?;
    let (metadata, scalars) = (reader.metadata().clone(), reader.scalars().clone());
    let tensors = reader.into_tensors()?.into_iter().map(|tensor| {
        let (name, number_type, shape, id, bytes) = tensor.into_parts()?;
        let id = id.filter(|id| keeps(*id));
        Ok(burn_pack::Tensor::new(name, number_type, shape, id, bytes))
    });
    let mut writer = Writer::new(tensors.collect::<Result<_, Error>>()?);
    for (key, value) in &metadata {
        writer = writer.with_metadata(key, value);
    }
    for (key, value) in scalars {
        writer = writer.with_scalar(&key, value);
    }
    writer.into_bytes()
}

/// The new number of each old identifier; a parameter that occurs twice keeps one number.
#[derive(Default)]
struct Number(HashMap<u64, u64>);

impl Number {
    fn of(&mut self, old: ParamId) -> ParamId {
        let next = self.0.len() as u64 + 1;
        ParamId::from(*self.0.entry(old.val()).or_insert(next))
    }
}

impl ModuleMapper for Number {
    fn map_float<const D: usize>(&mut self, mut param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.id = self.of(param.id);
        param
    }

    fn map_int<const D: usize>(
        &mut self,
        mut param: Param<Tensor<D, Int>>,
    ) -> Param<Tensor<D, Int>> {
        param.id = self.of(param.id);
        param
    }

    fn map_bool<const D: usize>(
        &mut self,
        mut param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        param.id = self.of(param.id);
        param
    }
}
