// The families, one file each. A new one is declared here and gets its row in the table of family.cc.
#pragma once

#include "model/family.h"

namespace surprisal {

const Family& bert_family();
const Family& roberta_family();
const Family& gpt2_family();
const Family& glm_family();
const Family& glm_130b_family();
const Family& llama_family();
const Family& qwen2_family();

}  // namespace surprisal
