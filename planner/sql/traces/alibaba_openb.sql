-- Alibaba openb (GPU cluster trace v2023): lists of nodes and of pods, CSV with header
--
-- Source: github.com/alibaba/clusterdata, cluster-trace-gpu-v2023. A pod asks for milli-cores, MiB and num_gpu GPUs, of
-- each gpu_milli thousandths; what it used is not recorded, so it is sized as allocated. Times are seconds from the start
-- of the recording, taken as 1970-01-01 00:00 UTC. Nodes are what the pods run on: they are workloads (servers, to be
-- moved as they are) only where no list of pods is given. The variants of the pod list (gpuspec33, multigpu20, ...) hold
-- the same pods changed: of a pod that several files list, the first file by name counts.

create temp table nodes (
    sn varchar not null check (sn <> ''),
    cpu_milli double not null check (cpu_milli between 0 and 1e9),
    memory_mib double not null check (memory_mib between 0 and 1e10),
    gpu double check (gpu between 0 and 1e5),
    model varchar
);
comment on column nodes.gpu is 'num_gpu';
comment on table nodes is '{"named": true}';

create temp table pods (
    "name" varchar not null check ("name" <> ''),
    cpu_milli double not null check (cpu_milli between 0 and 1e9),
    memory_mib double not null check (memory_mib between 0 and 1e10),
    num_gpu double not null check (num_gpu between 0 and 1e5),
    gpu_milli double check (gpu_milli between 0 and 1000),
    gpu_spec varchar,
    qos varchar,
    pod_phase varchar,
    creation_time double check (creation_time between 0 and 1e11),
    deletion_time double check (deletion_time between 0 and 1e11),
    scheduled_time double check (scheduled_time between 0 and 1e11)
);
comment on table pods is '{"named": true}';

create temp macro moment(seconds) as make_timestamp(cast(seconds * 1e6 as bigint));

create temp view listed as select distinct on ("name") * from pods order by "name", file, cpu_milli, memory_mib, gpu_spec;
create temp view racked as select distinct on (sn) * from nodes order by sn, file, cpu_milli, memory_mib, gpu;

insert into workloads by name
select
    $trace_id as trace_id, "name" as workload, 'container' as kind, cpu_milli / 1000 as cpu_cores,
    memory_mib / 1024 as memory_gib, nullif(num_gpu * coalesce(gpu_milli, 1000) / 1000, 0) as gpus,
    qos = 'BE' as interruptible, moment(creation_time) as created_at,
    case when coalesce(deletion_time >= creation_time, true) then moment(deletion_time) end as deleted_at
from listed;

insert into workloads by name
select
    $trace_id as trace_id, sn as workload, 'server' as kind, cpu_milli / 1000 as cpu_cores,
    memory_mib / 1024 as memory_gib, nullif(gpu, 0) as gpus
from racked where not exists (from pods);

insert into notes
select format('{} nodes with {} cores, {} MiB and {} GPUs are what the pods run on, no demand of their own', count(*),
    sum(cpu_milli) / 1000, cast(sum(memory_mib) as bigint), coalesce(sum(gpu), 0))
from racked where exists (from pods) having count(*) > 0;

insert into notes
select format('{} pods are listed more than once; the row of the first file counts', count(*))
from (select "name" from pods group by "name" having count(*) > 1) having count(*) > 0;

insert into notes
select format('{} pods are told to end before they begin: their end is left out', count(*))
from listed where deletion_time < creation_time having count(*) > 0;

insert into notes
select format('{} pods ask for certain GPU models ({}); models of GPUs are not told apart here', count(*),
    string_agg(distinct gpu_spec, ', ' order by gpu_spec))
from listed where gpu_spec <> '' having count(*) > 0;

insert into notes
select format('{} of {} pods were pending and never ran; they count as the others', count(*) filter (pod_phase = 'Pending'),
    count(*))
from listed having count(*) filter (pod_phase = 'Pending') > 0;
