// The samples of a job's data source, in memory and readable in any order.
//
// A Dataset holds n samples, each a tensor of features and a class label. It knows nothing of
// batches, ranks or epochs: that is runtime/data/batch_reader.h. The formats are a table in
// dataset.cc: one file and one line each.
#ifndef RM_RUNTIME_DATA_DATASET_H_
#define RM_RUNTIME_DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"
#include "proto/job.pb.h"

namespace rm::data {

namespace pb = ::ringmaster::v1;

// Immutable after Open, so thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;

  // Reads and checks the whole source. InvalidArgument for an unknown format or content that is not
  // what it should be, NotFound for a missing file; each names the file, the byte offset, and what
  // was expected and found there. No allocation is larger than what the files can fill.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Dataset>> Open(const pb::DataSource& source,
                                                                     const base::FileSystem& files);

  // Number of samples, ≥ 1.
  [[nodiscard]] virtual int64_t size() const = 0;
  // Shape of one sample's features without the batch dimension; images: {1, height, width}.
  [[nodiscard]] virtual const std::vector<int64_t>& sample_shape() const = 0;
  // Labels lie in [0, classes()): the highest label found, plus 1.
  [[nodiscard]] virtual int64_t classes() const = 0;
  // InvalidArgument, naming file and offset of the first one, when a label is not below `limit`
  // (the model's classes).
  [[nodiscard]] virtual absl::Status CheckLabels(int64_t limit) const = 0;

  // Writes sample `index`: `features` is row-major of sample_shape(), bytes scaled to 0…1 (byte /
  // 255). REQUIRES: 0 ≤ index < size().
  virtual void Read(int64_t index, float* features /* (sample_elements) */,
                    int64_t* label) const = 0;

  // Product of sample_shape().
  [[nodiscard]] int64_t sample_elements() const;
};

// Names of the formats that Open knows, in the table's order.
[[nodiscard]] std::vector<std::string> DatasetFormats();

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_DATASET_H_
