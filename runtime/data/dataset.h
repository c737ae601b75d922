// The samples of a job's data source, in memory and readable in any order.
//
// A Dataset holds n samples, each a tensor of features and a class label. It knows nothing of
// batches, ranks or epochs: that is runtime/data/batch_reader.h. The formats are a table in
// dataset.cc: one file and one line each; their bytes are specified in docs/data.md.
#ifndef RM_RUNTIME_DATA_DATASET_H_
#define RM_RUNTIME_DATA_DATASET_H_

#include <cstdint>
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

namespace rm::data {

namespace pb = ::ringmaster::v1;

class Dataset;
struct CsvEncoding;

// What a source alone does not say.
struct DatasetOptions {
  // data.schema of the job: csv needs it, other formats pass it over.
  pb::SchemaSpec schema;
  // Classes of the model: a label beyond them makes its record bad. 0: any label is fine.
  int64_t classes = 0;
  // Name of the model's input: npy finds its file by it.
  std::string input = "input";
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
  // Shape of one sample's features without the batch dimension; images: {1, height, width}.
  [[nodiscard]] virtual const std::vector<int64_t>& sample_shape() const = 0;
  // Labels of good samples lie in [0, classes()): the highest one, plus 1.
  [[nodiscard]] virtual int64_t classes() const = 0;

  // Writes sample `index`: `features` is row-major of sample_shape(). REQUIRES: 0 ≤ index < size();
  // of a bad record what comes out means nothing, but there is memory for it.
  virtual void Read(int64_t index, float* features /* (sample_elements) */,
                    int64_t* label) const = 0;

  // The categories and means of a csv file; nullptr for other formats.
  [[nodiscard]] virtual const CsvEncoding* csv_encoding() const { return nullptr; }

  // Samples that must have weight 0.
  [[nodiscard]] const BadRecords& bad_records() const { return bad_records_; }

  // Product of sample_shape().
  [[nodiscard]] int64_t sample_elements() const;

 protected:
  Dataset() = default;
  explicit Dataset(BadRecords bad_records) : bad_records_(std::move(bad_records)) {}

 private:
  const BadRecords bad_records_;
};

// Names of the formats that Open knows, in the table's order.
[[nodiscard]] std::vector<std::string> DatasetFormats();

// "is out of range: the model has 10 classes, 0 to 9 (model.params.classes)": a BadRecord's
// reason.
[[nodiscard]] std::string LabelOutOfRange(int64_t classes);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_DATASET_H_
