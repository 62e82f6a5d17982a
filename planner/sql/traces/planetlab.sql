-- PlanetLab CPU of CoMon, as CloudSim reads it: a folder a day, one file a VM, an integer CPU % every five minutes
--
-- Source: github.com/beloglazov/planetlab-workload-traces. A folder is a day and named by it (20110303), a file is a VM
-- and named by its host and slice; its 288 lines are five minutes each. A VM that several days hold is one workload. There
-- is no size (CloudSim draws it at random): the scenario must assume one ([demand] assumed_cpu_cores and
-- assumed_memory_gib). Memory is not measured.

create temp table readings (cpu_percent double not null check (cpu_percent between 0 and 100));
comment on table readings is '{"header": false, "delimiter": " ", "named": true, "numbered": true}';

-- The day of a folder (or an archive, 20110303.tar.gz), UTC; 1970-01-01 where its name is no day.
create temp macro day_of(folder) as
    coalesce(try_strptime(regexp_extract(folder, '^([0-9]{8})(\.|$)', 1), '%Y%m%d'), timestamp '1970-01-01');
create temp macro vm_of(file) as regexp_replace(file, '(^|/)[0-9]{8}/', '\1', 'g');

insert into usage by name
select
    $trace_id as trace_id, vm_of(file) as workload, day_of(folder) + to_seconds((line - 1) * 300) as sampled_at,
    cpu_percent
from readings;

insert into workloads by name
select distinct $trace_id as trace_id, workload, 'vm' as kind from usage where trace_id = $trace_id;

insert into notes
select format('{} VMs lie in a folder that is not named by a day (YYYYMMDD): their first line is taken as 1970-01-01 '
    '00:00 UTC, a Thursday', count(distinct vm_of(file))) from readings
where day_of(folder) = timestamp '1970-01-01' having count(*) > 0;
