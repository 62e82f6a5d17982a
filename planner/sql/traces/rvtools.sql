-- RVTools: a VMware estate, as the workbook or as one CSV a tab; an inventory with one reading, no time series
--
-- Tabs as RVTools 3.x and 4.x write them, also zipped; only vInfo is needed. MB of old versions and MiB of new ones are
-- both 1,048,576 bytes, columns without a unit too. Numbers may carry separators of thousands. vCPU Overall is the MHz
-- in use at the moment of the export; over the host's Speed they are cores. Templates and SRM placeholders are no
-- workloads; machines that are off or suspended keep their disks alone. Names of tabs in files do not matter.

create temp table vinfo (
    vm varchar not null check (trim(vm) <> ''),
    powerstate varchar,
    template varchar,
    srm_placeholder varchar,
    cpus varchar not null check (whole_number(cpus) between 0 and 1e5),
    memory_mib varchar not null check (whole_number(memory_mib) between 0 and 1e10),
    disk_mib varchar check (whole_number(disk_mib) between 0 and 1e13),
    provisioned_mib varchar check (whole_number(provisioned_mib) between 0 and 1e13),
    datacenter varchar,
    cluster varchar,
    host varchar,
    vm_id varchar,
    vm_uuid varchar
);
comment on table vinfo is '{"needed": true, "delimiter": ",;\t"}';
comment on column vinfo.vm is 'VM name|vInfoVMName';
comment on column vinfo.powerstate is 'vInfoPowerstate|Power state';
comment on column vinfo.template is 'vInfoTemplate';
comment on column vinfo.srm_placeholder is 'vInfoSRMPlaceholder';
comment on column vinfo.cpus is 'vInfoCPUs|# CPUs|Num CPU';
comment on column vinfo.memory_mib is 'Memory|vInfoMemory|Memory MB|Memory MiB';
comment on column vinfo.disk_mib is 'Total disk capacity MiB|Total disk capacity MB|vInfoTotalDiskCapacityMiB';
comment on column vinfo.provisioned_mib is 'Provisioned MB|Provisioned MiB|vInfoProvisioned|vInfoProvisionedMiB';
comment on column vinfo.datacenter is 'vInfoDataCenter';
comment on column vinfo.cluster is 'vInfoCluster';
comment on column vinfo.host is 'vInfoHost|ESX Host';
comment on column vinfo.vm_id is 'vInfoVMID|Object ID';
comment on column vinfo.vm_uuid is 'vInfoUUID|vInfoVMUUID';

create temp table vcpu (
    vm varchar not null,
    overall_mhz varchar not null check (whole_number(overall_mhz) between 0 and 1e9),
    vm_id varchar,
    vm_uuid varchar
);
comment on table vcpu is '{"aside": true, "delimiter": ",;\t"}';
comment on column vcpu.vm is 'VM name|vCPUVMName';
comment on column vcpu.overall_mhz is 'Overall|vCPUOverall|Overall MHz';

create temp table vmemory (
    vm varchar not null,
    size_mib varchar not null check (whole_number(size_mib) between 0 and 1e10),
    consumed_mib varchar check (whole_number(consumed_mib) between 0 and 1e10),
    active_mib varchar check (whole_number(active_mib) between 0 and 1e10),
    vm_id varchar,
    vm_uuid varchar
);
comment on table vmemory is '{"aside": true, "delimiter": ",;\t"}';
comment on column vmemory.vm is 'VM name|vMemoryVMName';
comment on column vmemory.size_mib is 'Size MB|Size|vMemorySizeMB|vMemorySizeMiB';
comment on column vmemory.consumed_mib is 'Consumed|Consumed MB|vMemoryConsumed';
comment on column vmemory.active_mib is 'Active|Active MB|vMemoryActive';

create temp table vdisk (
    vm varchar not null,
    disk varchar not null,
    capacity_mib varchar not null check (whole_number(capacity_mib) between 0 and 1e13),
    vm_id varchar,
    vm_uuid varchar
);
comment on table vdisk is '{"aside": true, "delimiter": ",;\t"}';
comment on column vdisk.vm is 'VM name|vDiskVMName';
comment on column vdisk.disk is 'vDiskDisk';
comment on column vdisk.capacity_mib is 'Capacity MB|vDiskCapacityMB|vDiskCapacityMiB';

-- Told apart from vDisk; file systems are not what is provisioned.
create temp table vpartition (
    vm varchar not null,
    disk varchar not null,
    capacity_mib varchar not null,
    consumed_mib varchar not null,
    free_mib varchar,
    vm_id varchar,
    vm_uuid varchar
);
comment on table vpartition is '{"aside": true, "delimiter": ",;\t"}';
comment on column vpartition.vm is 'VM name|vPartitionVMName';
comment on column vpartition.disk is 'vPartitionDisk';
comment on column vpartition.capacity_mib is 'Capacity MB|vPartitionCapacityMB|vPartitionCapacityMiB';
comment on column vpartition.consumed_mib is 'Consumed MB|vPartitionConsumedMB|vPartitionConsumedMiB';
comment on column vpartition.free_mib is 'Free MB|vPartitionFreeMB|vPartitionFreeMiB';

create temp table vhost (
    host varchar not null,
    speed_mhz varchar not null check (whole_number(speed_mhz) between 1 and 1e6),
    cores varchar not null check (whole_number(cores) between 0 and 1e6)
);
comment on table vhost is '{"aside": true, "delimiter": ",;\t"}';
comment on column vhost.host is 'vHostName|Name';
comment on column vhost.speed_mhz is 'Speed|vHostSpeed|CPU Speed';
comment on column vhost.cores is '# Cores|vHostNumCpuCores|Num CPU cores';

create temp table vmetadata (made_at timestamp not null check (made_at between '1990-01-01' and '2100-01-01'), version varchar);
comment on table vmetadata is '{"aside": true, "delimiter": ",;\t"}';
comment on column vmetadata.made_at is 'xlsx creation datetime|vMetaDataXlsxCreationDateTime';
comment on column vmetadata.version is 'RVTools version|vMetaDataRVToolsVersion';

-- Settings. An inventory without a date is of a Monday, 00:00 UTC.
create temp macro undated() as timestamp '1970-01-05 00:00:00';

create temp macro is_true(words) as coalesce(lower(trim(words)) in ('true', 'yes', '1', 'wahr', 'vrai', 'verdadero', 'vero'), false);
create temp macro is_on(words) as replace(lower(coalesce(words, 'poweredOn')), ' ', '') in ('poweredon', 'on', 'running');
create temp macro short(name) as split_part(lower(trim(name)), '.', 1);

create temp table vms as
select *,
    case when count(*) over (partition by vm) = 1 then vm
        else vm || ' (' || coalesce(nullif(vm_uuid, ''), nullif(vm_id, ''), host, '') || ', '
            || row_number() over (partition by vm order by vm_uuid, vm_id, datacenter, cluster, host, cpus, memory_mib) || ')'
    end as workload
from vinfo where not is_true(template) and not is_true(srm_placeholder);

-- A machine's row in another tab has its name, and its ids where both tabs tell them.
create temp macro same(a, b) as a is null or b is null or a = b;

create temp table hosts as
select short(host) as host, max(whole_number(speed_mhz)) as mhz from vhost group by all;

create temp table readings as
with disks as (
    select m.workload, sum(whole_number(d.capacity_mib)) as mib
    from vms m join vdisk d on m.vm = d.vm and same(m.vm_uuid, d.vm_uuid) and same(m.vm_id, d.vm_id) group by all
),
busy as (
    select m.workload, max(whole_number(c.overall_mhz)) as mhz
    from vms m join vcpu c on m.vm = c.vm and same(m.vm_uuid, c.vm_uuid) and same(m.vm_id, c.vm_id) group by all
),
held as (
    select m.workload, max(coalesce(whole_number(h.consumed_mib), whole_number(h.active_mib))) as mib
    from vms m join vmemory h on m.vm = h.vm and same(m.vm_uuid, h.vm_uuid) and same(m.vm_id, h.vm_id) group by all
)
select
    m.workload, m.cluster, m.host, is_on(m.powerstate) as is_on,
    whole_number(m.cpus) as cores, whole_number(m.memory_mib) / 1024 as gib,
    coalesce(d.mib, whole_number(m.disk_mib), whole_number(m.provisioned_mib)) / 1024 as storage_gib,
    b.mhz / coalesce(h.mhz, (select exact_avg(mhz) from hosts)) as cores_used, h.mhz is not null as joined,
    b.mhz is not null as is_read, held.mib / 1024 as gib_used,
    coalesce((select max(made_at) from vmetadata), undated()) as read_at
from vms m left join disks d using (workload) left join busy b using (workload) left join held using (workload)
left join hosts h on h.host = short(m.host);

insert into workloads by name
select
    $trace_id as trace_id, workload, 'vm' as kind, cluster as owner,
    case when is_on then cores else 0 end as cpu_cores, case when is_on then gib else 0 end as memory_gib,
    storage_gib, 'x86_64' as arch,
    case when is_on then least(100, 100 * cores_used / nullif(cores, 0)) end as cpu_percent_mean
from readings;

-- CPU enters as one reading, which says nothing of peaks: the demand's policy states a spread. Memory hardly moves and
-- enters as the one sample it is.
insert into usage by name
select $trace_id as trace_id, workload, read_at as sampled_at, gib_used as memory_gib, gib as allocated_memory_gib
from readings where is_on and gib_used is not null;

insert into notes
select format('RVTools has one reading of each machine, taken at {}{}: no peaks, no hours', any_value(read_at),
    case when exists (from vmetadata) then '' else ' (the export does not tell when)' end)
from readings having count(*) > 0;

insert into notes
select format('CPU of {} machines: the MHz read are their average, more is planned for by demand.reading_cpu_spread', count(*))
from readings where is_on and cores_used is not null having count(*) > 0;

insert into notes
select format('{} of {} running machines have no CPU reading (vCPU Overall, vHost Speed): sized as allocated',
    count(*) filter (cores_used is null), count(*))
from readings where is_on having count(*) filter (cores_used is null) > 0;

insert into notes
select format('{} running machines name hosts that vHost lacks: the average speed of all hosts serves', count(*))
from readings where is_on and is_read and not joined and exists (from hosts) having count(*) > 0;

insert into notes
select format('{} of {} machines are off or suspended: they need no CPU or memory, {} GiB of their disks stay',
    count(*) filter (not is_on), count(*), round(coalesce(sum(storage_gib) filter (not is_on), 0), 1))
from readings having count(*) filter (not is_on) > 0;

insert into notes
select format('{} templates and placeholders are no workloads; their disks of {} GiB are left out', count(*),
    round(coalesce(sum(coalesce(whole_number(disk_mib), whole_number(provisioned_mib))), 0) / 1024, 1))
from vinfo where is_true(template) or is_true(srm_placeholder) having count(*) > 0;

insert into notes
select format('{} names are those of several machines; their ids tell them apart', count(distinct vm))
from vms where workload <> vm having count(*) > 0;
