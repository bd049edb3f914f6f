#include "ops/layer_norm.h"
