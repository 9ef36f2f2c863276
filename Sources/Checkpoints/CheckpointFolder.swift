import Bytes
import SystemPackage

/// The files of a checkpoint folder, sorted by what is done with them.
struct CheckpointFolder {
  /// Indices and single files, the first that is there being read.
  static let weightNames: [(index: String, single: String)] = [
    ("model.safetensors.index.json", "model.safetensors"),
    ("pytorch_model.bin.index.json", "pytorch_model.bin"),
  ]

  /// The names of what is in the folder, sorted.
  let names: [String]
  let folder: FilePath

  init(_ folder: FilePath) throws(CheckpointsError) {
    self.folder = folder
    do throws(BytesError) {
      names = try Folder.names(in: folder.isEmpty ? "." : folder)
    } catch {
      throw .file(error)
    }
  }

  func contains(_ name: String) -> Bool { names.contains(name) }

  /// The files that go with the weights into any output.
  var sideFiles: [FilePath] {
    get throws(CheckpointsError) {
      var files: [FilePath] = []
      do throws(BytesError) {
        for name in names where Self.isSideFile(name) {
          let path = folder.appending(name)
          if try Folder.kind(of: path) == .file { files.append(path) }
        }
      } catch {
        throw .file(error)
      }
      return files
    }
  }

  /// Whatever else lies in the folder. `read` are the weight files and the index, relative to it.
  func unreadFiles(read: Set<String>) -> [FilePath] {
    names.filter { !Self.isSideFile($0) && !read.contains($0) }.map { folder.appending($0) }
  }

  /// Configuration, tokenizer, templates and the licence: what a runtime or a lawyer asks for.
  private static func isSideFile(_ name: String) -> Bool {
    switch name {
    case "config.json", "generation_config.json", "hf_quant_config.json", "vocab.json",
      "vocab.txt", "merges.txt", "special_tokens_map.json", "added_tokens.json",
      "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json":
      true
    default:
      name.hasPrefix("tokenizer") || name.hasPrefix("chat_template") || name.hasSuffix(".jinja")
        || name.hasSuffix(".tiktoken") || name == "tiktoken.model" || name.hasPrefix("LICENSE")
        || name.hasPrefix("NOTICE")
    }
  }
}
