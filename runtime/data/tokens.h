// Token files: what a language model is trained on, cut into windows. docs/data.md has the bytes.
#ifndef RM_RUNTIME_DATA_TOKENS_H_
#define RM_RUNTIME_DATA_TOKENS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/dataset.h"

namespace rm::data {

// Immutable after Open, so thread-safe. Holds the file's bytes as they are.
class TokenDataset {
 public:
  // Reads the whole file. The type is told by the name: uint16 for .u16 and .bin, uint32 for .u32.
  // InvalidArgument: another name, a size that is no multiple of the type's, or fewer than window +
  // 1 tokens. REQUIRES: window ≥ 1.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TokenDataset>> Open(
      const std::string& path, int64_t window, const base::FileSystem& files);

  // Number of windows, ≥ 1: ⌊(tokens − 1) / window⌋.
  [[nodiscard]] int64_t size() const { return (tokens_ - 1) / window_; }
  [[nodiscard]] int64_t tokens() const { return tokens_; }
  // The highest token, plus 1: what the model's vocabulary must hold.
  [[nodiscard]] int64_t vocabulary() const { return vocabulary_; }
  // InvalidArgument, with the offset of the first one, when a token is not below `limit`.
  [[nodiscard]] absl::Status CheckVocabulary(int64_t limit) const;

  // Writes window `index` and the token that follows each of its own. REQUIRES: 0 ≤ index < size().
  void Read(int64_t index, int64_t* tokens /* (window) */, int64_t* targets /* (window) */) const;
  // REQUIRES: 0 ≤ position < tokens().
  [[nodiscard]] int64_t TokenAt(int64_t position) const;

 private:
  TokenDataset(std::string path, std::string bytes, int64_t token_bytes, int64_t window);

  const std::string path_;
  const std::string bytes_;
  const int64_t token_bytes_;  // 2 or 4
  const int64_t window_;
  const int64_t tokens_;
  int64_t vocabulary_ = 0;
};

// The format "tokens" of Dataset::Open: a sample is a window as long as the model's input, the target
// of each token the one that follows it. InvalidArgument, beside what TokenDataset says: a model that
// takes anything but one window of whole numbers, or wants another target than a token for each of
// them; a token beyond the model's vocabulary, which is the lesser of its classes and its table.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Dataset>> OpenTokens(const pb::DataSource& source,
                                                                  const base::FileSystem& files,
                                                                  const DatasetOptions& options);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_TOKENS_H_
