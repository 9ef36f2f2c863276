import Bytes
import FixtureSupport
package import SystemPackage

/// A folder with a checkpoint, what a reference computed from it, and a `meta.json`.
package struct FixtureFolder: Sendable {
  package let path: FilePath

  package init(path: FilePath) { self.path = path }

  /// What Kelter computes otherwise than the reference. Empty if all is well.
  ///
  /// `expected.safetensors` is what the mixture did that `meta.json` names under `moe_module`, such
  /// as `model.layers.1.mlp`; `expected_forward.safetensors` a whole pass, which is compared where
  /// the stream is plain and the pass tells what attention adds to it.
  /// - Throws: what is wrong with the folder, or what Kelter cannot read in it.
  package func mismatches() throws -> [String] {
    let model = try FixtureModel(path: path)
    var found: [String] = []
    var isCompared = false
    let mixture = path.appending("expected.safetensors")
    if exists(mixture) {
      let block = MixtureBlock(layer: try mixtureLayer(), file: mixture)
      found += try block.mismatches(of: model)
      isCompared = true
    }
    let pass = path.appending("expected_forward.safetensors")
    if exists(pass), model.hasPlainStream {
      let forward = try ForwardPass(file: pass)
      if forward.tellsAttention {
        found += try forward.mismatches(of: model)
        isCompared = true
      }
    }
    return isCompared ? found : found + ["no expected.safetensors: nothing to compare with"]
  }

  /// The layer that `moe_module` names.
  private func mixtureLayer() throws -> Int {
    let file = path.appending("meta.json")
    let meta = try JSONValue(parsing: contents(file), file: file)
    let module = meta["moe_module"]?.string ?? ""
    guard let layer = module.split(separator: ".").lazy.compactMap({ Int($0) }).first else {
      throw NoModule(file: file)
    }
    return layer
  }
}

/// A `meta.json` does not say of which layer the expected values are.
struct NoModule: Error, CustomStringConvertible {
  let file: FilePath

  var description: String { "\(file): no layer under 'moe_module', as in model.layers.1.mlp" }
}
