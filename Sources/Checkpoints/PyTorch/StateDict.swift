import SystemPackage

/// The tensors of a pickle by name.
///
/// They are at the top, or one level below, under a name that training scripts use. A prefix
/// `module.` that all of them have, by `DataParallel`, is dropped.
struct StateDict {
  let tensors: [(name: String, tensor: PickleTensor)]
  let storages: [PickleStorage]

  private static let wrappers = ["state_dict", "model_state_dict", "model", "module"]

  init(top: PickleValue, machine: PickleMachine) throws(CheckpointsError) {
    func problem(_ problem: PyTorchProblem) -> CheckpointsError {
      .pytorch(file: machine.path, problem)
    }
    func holdsTensor(_ items: [(key: PickleValue, value: PickleValue)]) -> Bool {
      items.contains { if case .tensor = $0.value { true } else { false } }
    }
    guard case .dictionary(let index) = top else { throw problem(.noStateDict(keys: [])) }
    var items = machine.dictionaries[index]
    if !holdsTensor(items) {
      let inner = items.compactMap { item -> [(key: PickleValue, value: PickleValue)]? in
        guard case .text(let key) = item.key, Self.wrappers.contains(key),
          case .dictionary(let index) = item.value, holdsTensor(machine.dictionaries[index])
        else { return nil }
        return machine.dictionaries[index]
      }
      guard inner.count == 1, let found = inner.first else {
        let keys = items.prefix(8).compactMap {
          if case .text(let key) = $0.key { key } else { nil }
        }
        throw problem(.noStateDict(keys: keys))
      }
      items = found
    }
    var tensors: [(name: String, tensor: PickleTensor)] = []
    var names: Set<String> = []
    for item in items {
      if case .dictionary(let index) = item.value, holdsTensor(machine.dictionaries[index]) {
        guard case .text(let key) = item.key else { throw problem(.nameNotText) }
        throw problem(.tensorsInside(key: key))
      }
      guard case .tensor(let index) = item.value else { continue }
      guard case .text(let name) = item.key else { throw problem(.nameNotText) }
      guard names.insert(name).inserted else { throw problem(.duplicate(tensor: name)) }
      tensors.append((name, machine.tensors[index]))
    }
    let prefix = "module."
    if tensors.allSatisfy({ $0.name.hasPrefix(prefix) && $0.name != prefix }) {
      tensors = tensors.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
    }
    self.tensors = tensors
    storages = machine.storages
  }
}
