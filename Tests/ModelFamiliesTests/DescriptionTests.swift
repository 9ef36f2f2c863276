import Bytes
import ModelFamilies
import ReferenceModel
import Tensors
import Testing

@Suite struct DescriptionTests {
  @Test func deepSeekV3() throws {
    let description = try FixtureShapes("deepseek_v3").describe()
    #expect(description.familyName == "DeepSeek-V3")
    #expect(description.modelType == "deepseek_v3")
    #expect(description.hiddenSize == 128)
    #expect(description.vocabularySize == 128)
    #expect(description.normEpsilon == 1e-6)
    #expect(description.embedding == "model.embed_tokens.weight")
    #expect(description.layers.map(\.index) == [0, 1])
    #expect(
      description.layers[0].mlp
        == .dense(
          MLPWeights(
            gate: "model.layers.0.mlp.gate_proj.weight", up: "model.layers.0.mlp.up_proj.weight",
            down: "model.layers.0.mlp.down_proj.weight", intermediateSize: 192)))
    let mixture = try #require(description.layers[1].mixtureOfExperts)
    #expect(
      mixture.router
        == RouterRule(
          scoring: .sigmoid, expertCount: 8, expertsPerToken: 3, groups: .init(count: 2, kept: 1),
          normalization: .sum(epsilon: 1e-20), scalingFactor: 2.5))
    #expect(mixture.correctionBias == "model.layers.1.mlp.gate.e_score_correction_bias")
    #expect(mixture.experts.count == 8)
    #expect(mixture.experts[5].up == "model.layers.1.mlp.experts.5.up_proj.weight")
    #expect(mixture.sharedExpert?.intermediateSize == 64)
    #expect(
      description.layers[1].postAttentionNorm == "model.layers.1.post_attention_layernorm.weight")
  }

  @Test func absentPredictionLayersAreANote() throws {
    let note = ModelNote.absentPredictionLayers(
      declared: 1, present: 0, key: "num_nextn_predict_layers")
    #expect(try FixtureShapes("deepseek_v3").describe().notes == [note])
    #expect(try FixtureShapes("qwen3_moe").describe().notes == [])
  }

  @Test func presentPredictionLayersFollow() throws {
    let description = try FixtureShapes("deepseek_v3_mtp").describe()
    #expect(description.notes == [])
    #expect(description.layers.map(\.isMultiTokenPrediction) == [false, false, true])
    #expect(description.mainLayerCount == 2)
    let mixture = try #require(description.layers[2].mixtureOfExperts)
    #expect(mixture.experts.count == 12)
    #expect(mixture.experts[11].gate == "model.layers.2.mlp.experts.11.gate_proj.weight")
    #expect(mixture.sharedExpert?.intermediateSize == 2 * 40)
  }

  @Test func incompletePredictionLayersAreANote() throws {
    let missing = "model.layers.2.mlp.experts.7.up_proj.weight"
    var shapes = try FixtureShapes("deepseek_v3_mtp")
    shapes.remove(missing)
    let description = try shapes.describe()
    #expect(description.notes == [.incompletePredictionLayer(layer: 2, missing: missing)])
    #expect(description.layers.map(\.index) == [0, 1])
    #expect(
      description.assignment(of: "model.layers.2.enorm.weight")?.role == .multiTokenPrediction)
  }

  @Test func settingsChooseTheRule() throws {
    var shapes = try FixtureShapes("qwen3_moe")
    shapes.config["norm_topk_prob"] = nil
    let plain = try #require(try shapes.describe().layers[1].mixtureOfExperts)
    #expect(plain.router.normalization == .none)
    #expect(plain.correctionBias == nil)
    #expect(plain.sharedExpert == nil)

    shapes = try FixtureShapes("deepseek_v3")
    shapes.config["n_group"] = .integer(1)
    shapes.config["norm_topk_prob"] = .bool(false)
    let ungrouped = try #require(try shapes.describe().layers[1].mixtureOfExperts)
    #expect(ungrouped.router.groups == nil)
    #expect(ungrouped.router.normalization == .none)
  }

  /// transformers 5 writes `num_local_experts` where the releases have `num_experts`.
  @Test func eitherKeyOfTheExpertCount() throws {
    var shapes = try FixtureShapes("qwen3_moe")
    let reference = try shapes.describe()
    shapes.config["num_local_experts"] = shapes.config.removeValue(forKey: "num_experts")
    #expect(try shapes.describe().layers == reference.layers)
  }

  /// Multimodal releases put a prefix before the names, and carry encoders.
  @Test func wrappedNames() throws {
    var shapes = try FixtureShapes("kimi_k2")
    let plain = try shapes.describe()
    shapes.weights = shapes.weights.map {
      NamedShape(name: "language_model." + $0.name, shape: $0.shape)
    }
    shapes.add("vision_tower.patch_embed.proj.weight", [8, 3, 2, 2])
    let wrapped = try shapes.describe()
    #expect(wrapped.embedding == "language_model." + plain.embedding)
    #expect(wrapped.layers.count == plain.layers.count)
    let mixture = try #require(wrapped.layers[1].mixtureOfExperts)
    #expect(mixture.routerWeight == "language_model.model.layers.1.mlp.gate.weight")
    #expect(mixture.experts[3].up == "language_model.model.layers.1.mlp.experts.3.up_proj.weight")
    #expect(wrapped.parameters.total == plain.parameters.total + 96)
  }

  /// The parts of fused tensors: every second column of a matrix that is stored inputs × outputs.
  @Test func partsOfFusedTensors() throws {
    let description = try FixtureShapes("gpt_oss").describe()
    let name = "model.layers.1.mlp.experts.gate_up_proj"
    let parts = description.parts(of: name)
    #expect(parts.count == 8)
    #expect(parts.map(\.assignment.expert) == [0, 0, 1, 1, 2, 2, 3, 3])
    #expect(parts.map(\.index) == [0, 1, 0, 1, 0, 1, 0, 1])
    let up = try #require(description.layers[1].mixtureOfExperts).experts[2].up
    #expect(up == WeightReference(name: name, part: parts[5].part))
    #expect(
      up.part
        == WeightPart(
          storedRows: 256..<384, isTransposed: true, firstOutput: 1, outputStride: 2,
          outputCount: 96))
    #expect(description.parts(of: "model.layers.1.mlp.router.weight").isEmpty)
  }

  /// Quantized gpt-oss stores its matrices the other way round.
  @Test func quantizedTensorsMayBeTurned() throws {
    var shapes = try FixtureShapes("gpt_oss")
    shapes.weights = shapes.weights.map { weight in
      guard weight.name.hasSuffix("gate_up_proj") || weight.name.hasSuffix("down_proj") else {
        return weight
      }
      let sizes = weight.shape.dimensions
      return NamedShape(
        name: weight.name, shape: Shape([sizes[0], sizes[2], sizes[1]])!, isQuantized: true)
    }
    let description = try shapes.describe()
    let up = try #require(description.layers[1].mixtureOfExperts).experts[2].up
    #expect(
      up.part
        == WeightPart(
          storedRows: 384..<576, isTransposed: false, firstOutput: 1, outputStride: 2,
          outputCount: 96))
  }

  /// The first layers of DeepSeek-V4 have a table, the others a bias.
  @Test func tablesChooseInSomeLayers() throws {
    let description = try FixtureShapes("deepseek_v4").describe()
    let mixtures = description.layers.map(\.mixtureOfExperts)
    #expect(mixtures[0]?.routerTable == "layers.0.ffn.gate.tid2eid")
    #expect(mixtures[0]?.correctionBias == nil)
    #expect(mixtures[1]?.routerTable == nil)
    #expect(mixtures[1]?.correctionBias == "layers.1.ffn.gate.bias")
    #expect(description.layers[0].activation == .clampedSilu(limit: 1.5))
    #expect(description.notes == [.leftOut(what: "its hyper-connections")])
  }

  /// Without a family, names and shapes suggest roles, and nothing is measured.
  @Test(arguments: ["mixtral", "qwen2_moe", "deepseek_v3", "llama_r1_distill"])
  func rolesByName(fixture: String) throws {
    let shapes = try FixtureShapes(fixture)
    let known = try shapes.describe()
    let generic = try ModelFamily.recognize(config: nil, named: "generic")
    let guessed = try generic.describe(config: .object([:]), weights: shapes.weights)
    #expect(guessed.layers.isEmpty)
    #expect(guessed.notes == [.rolesByName])
    for weight in shapes.weights {
      let guess = try #require(guessed.assignment(of: weight.name))
      let truth = try #require(known.assignment(of: weight.name))
      #expect(guess.layer == truth.layer && guess.expert == truth.expert)
      if truth.role.isMLPWeight || guess.role.isMLPWeight {
        #expect(guess.role == truth.role, "\(weight.name)")
      }
    }
  }

  /// What configs list for each layer counts if it is the same for all.
  @Test func listsOfOneValue() throws {
    var shapes = try FixtureShapes("hunyuan_v1_moe")
    #expect(try shapes.describe().layers[1].mixtureOfExperts?.router.expertsPerToken == 3)
    shapes.config["moe_topk"] = .array([.integer(3), .integer(2)])
    #expect(throws: ModelFamiliesError.self) { try shapes.describe() }
  }

  @Test func settingsOfTheNewRules() throws {
    let grouped = try #require(
      try FixtureShapes("deepseek_v2").describe().layers[1].mixtureOfExperts)
    #expect(grouped.router.groups == .init(count: 4, kept: 2, scoring: .largest))
    let greedy = try #require(
      try FixtureShapes("deepseek_v2_lite").describe().layers[1].mixtureOfExperts)
    #expect(greedy.router.groups == nil)
    let miniMax = try FixtureShapes("minimax").describe()
    #expect(miniMax.layers[0].residual.isNormalized)
    #expect(miniMax.layers[0].residual.streamFactor == 3.5565588)
    #expect(miniMax.notes == [.leftOut(what: "its lightning attention")])
    let jamba = try FixtureShapes("jamba").describe()
    #expect(jamba.layers.map { $0.mixtureOfExperts != nil } == [false, true])
    #expect(jamba.layers[0].postAttentionNorm == "model.layers.0.pre_ff_layernorm.weight")
    let sparse = try FixtureShapes("glm_moe_dsa").describe()
    #expect(sparse.layers.map { $0.mixtureOfExperts != nil } == [false, true])
  }

  @Test func nestedTextConfigCountsFirst() throws {
    var shapes = try FixtureShapes("mixtral")
    let reference = try shapes.describe()
    shapes.config = [
      "model_type": .string("some_multimodal_thing"), "hidden_size": .integer(7),
      "text_config": .object(shapes.config),
    ]
    #expect(try shapes.describe().layers == reference.layers)
    #expect(try shapes.describe().modelType == "mixtral")
  }

  @Test(arguments: [
    (2, [Int](), [1, 3]), (1, [0, 2], [1, 3]), (1, [], [0, 1, 2, 3]), (3, [2], []),
  ])
  func sparseStepsOfQwen3(step: Int, dense: [Int], mixtures: [Int]) throws {
    var shapes = try FixtureShapes("qwen3_moe")
    shapes.config["num_hidden_layers"] = .integer(4)
    shapes.config["decoder_sparse_step"] = .integer(step)
    shapes.config["mlp_only_layers"] = .array(dense.map(JSONValue.integer))
    let model = shapes.weights
    shapes.weights = model.filter { !$0.name.contains(".layers.") }
    for layer in 0..<4 {
      let like = mixtures.contains(layer) ? ".layers.1." : ".layers.0."
      for weight in model where weight.name.contains(like) {
        let tail = weight.name.dropFirst("model.layers.0.".count)
        shapes.weights.append(
          NamedShape(name: "model.layers.\(layer).\(tail)", shape: weight.shape))
      }
    }
    let layers = try shapes.describe().layers
    #expect(layers.filter { $0.mixtureOfExperts != nil }.map(\.index) == mixtures)
  }
}

@Suite struct RecognitionTests {
  @Test(arguments: [
    ("deepseek_v3", "DeepSeek-V3"), ("kimi_k2", "Kimi-K2"), ("qwen3_moe", "Qwen3-MoE"),
    ("mixtral", "Mixtral"), ("llama", "Llama"), ("qwen2", "Qwen2"),
  ])
  func byModelType(modelType: String, name: String) throws {
    let config = JSONValue.object(["model_type": .string(modelType)])
    #expect(try ModelFamily.recognize(config: config).name == name)
    #expect(try ModelFamily.recognize(config: nil, named: modelType).name == name)
    #expect(try ModelFamily.recognize(config: nil, named: name.uppercased()).name == name)
  }

  @Test func byArchitectureWhereTheModelTypeIsAbsent() throws {
    let architectures = JSONValue.array([.string("LlamaForCausalLM")])
    #expect(
      try ModelFamily.recognize(config: .object(["architectures": architectures])).name == "Llama")
    #expect(throws: ModelFamiliesError.self) {
      try ModelFamily.recognize(
        config: .object(["architectures": architectures, "model_type": .string("gpt2")]))
    }
  }

  @Test func unknownArchitecturesNameWhatIsKnown() throws {
    let config = JSONValue.object([
      "model_type": .string("gpt2"), "architectures": .array([.string("GPT2LMHeadModel")]),
    ])
    let error = try #require(throws: ModelFamiliesError.self) {
      try ModelFamily.recognize(config: config)
    }
    #expect(error.kind == .invalidInput)
    for part in ["'gpt2'", "GPT2LMHeadModel", "deepseek_v3", "qwen2", "--family"] {
      #expect(error.description.contains(part))
    }
    #expect(throws: ModelFamiliesError.configMissing) { try ModelFamily.recognize(config: nil) }
    let unknown = try #require(throws: ModelFamiliesError.self) {
      try ModelFamily.recognize(config: config, named: "gpt2")
    }
    #expect(unknown.kind == .usage)
  }
}
