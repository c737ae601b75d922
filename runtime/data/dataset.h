// The samples of a job's data source, in memory and readable in any order.
//
// A Dataset holds n samples, each of some tensors and a target (runtime/data/sample_layout.h). It
// knows nothing of batches, ranks or epochs: that is runtime/data/batch_reader.h. The formats are a
// table in dataset.cc: one file and one line each; their bytes are specified in docs/data.md.
#ifndef RM_RUNTIME_DATA_DATASET_H_
#define RM_RUNTIME_DATA_DATASET_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "runtime/data/bad_records.h"
#include "runtime/data/sample_layout.h"

namespace rm::data {

namespace pb = ::ringmaster::v1;

class Dataset;
struct CsvEncoding;

// What a source alone does not say.
struct DatasetOptions {
  // data.schema of the job: csv needs it, other formats pass it over.
  pb::SchemaSpec schema;
  // data.inputs of the job: columns of a csv file by the name of the model's input that they go to.
  // Empty: all features go to the only input.
  std::map<std::string, std::vector<std::string>> inputs;
  // What the model takes. Names of inputs say which files are read, types what numbers become; a
  // label beyond the classes makes its record bad. Without inputs, or with 0 classes, nobody has
  // said: then the only input is called "input" and is float32, and any label is fine.
  SampleLayout model;
  // For a validation set: the training set, whose categories and means a csv file is read with.
  // Needed during Open only. nullptr: they are learned from the file itself.
  const Dataset* training = nullptr;
};

// Immutable after Open, so thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;

  // Reads and checks the whole source. InvalidArgument for an unknown format or content that is not
  // what it should be, NotFound for a missing file; each names the file, the place in it, and what
  // was expected and found there. Records that cannot be used are no error here: bad_records() has
  // them, and Complaints (bad_records.h) says whether the job may go on; there may even be no
  // other. No allocation is larger than what the files can fill.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Dataset>> Open(
      const pb::DataSource& source, const base::FileSystem& files,
      const DatasetOptions& options = {});

  // Number of samples, ≥ 1, the bad ones included.
  [[nodiscard]] virtual int64_t size() const = 0;
  // What ReadRow writes: names and types are the model's, shapes the data's own. CheckLayout tells
  // whether the model can read it.
  [[nodiscard]] virtual const SampleLayout& layout() const = 0;

  // Writes sample `index` as row `row` of inputs and target; weights are left alone. Allocates
  // nothing. REQUIRES: 0 ≤ index < size(), and memory for that row; of a bad record what comes out
  // means nothing, but there is memory for it.
  virtual void ReadRow(int64_t index, int64_t row, const BatchMemory& memory) const = 0;

  // The same for one sample of one float32 input and one class index.
  void Read(int64_t index, float* features /* (elements of the input) */, int64_t* label) const;

  // The categories and means of a csv file; nullptr for other formats.
  [[nodiscard]] virtual const CsvEncoding* csv_encoding() const { return nullptr; }

  // Samples that must have weight 0.
  [[nodiscard]] const BadRecords& bad_records() const { return bad_records_; }

  // Of the first input, for sources that have one: the shape of a sample; images: {1, height, width}.
  [[nodiscard]] const std::vector<int64_t>& sample_shape() const { return layout().inputs[0].shape; }
  // Labels of good samples lie in [0, classes()): the highest one, plus 1.
  [[nodiscard]] int64_t classes() const { return layout().classes; }

 protected:
  Dataset() = default;
  explicit Dataset(BadRecords bad_records) : bad_records_(std::move(bad_records)) {}

 private:
  const BadRecords bad_records_;
};

// Names of the formats that Open knows, in the table's order.
[[nodiscard]] std::vector<std::string> DatasetFormats();

// The first input of the model; what stands for it where nobody has said. For formats.
[[nodiscard]] inline SampleTensor FirstInput(const DatasetOptions& options) {
  if (!options.model.inputs.empty()) return options.model.inputs.front();
  SampleTensor input;
  input.name = "input";
  return input;
}

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_DATASET_H_
